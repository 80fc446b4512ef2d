#include "testbed/kernel/modules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "testbed/kernel/cpio.hpp"
#include "testbed/kernel/files.hpp"
#include "testbed/kernel/process.hpp"

namespace pnfs::kernel {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct ModulesTest : ::testing::Test {
  ModulesTest() {
    char name[] = "/tmp/modules_test.XXXXXX";
    folder = ::mkdtemp(name);
    fs::create_directories(folder + "/fs/deep");
  }
  ~ModulesTest() override { fs::remove_all(folder); }
  void module(const std::string& path, const std::string& depends) {
    std::string bytes = "ELF...license=GPL";
    bytes += std::string("\0depends=", 9) + depends + std::string("\0intree=Y\0", 10);
    ASSERT_TRUE(write_file(folder + "/" + path, bytes));
  }
  std::vector<std::string> order(const std::vector<std::string>& names) {
    const auto index = ModuleIndex::read(folder);
    const auto list = index->load_list(names);
    EXPECT_TRUE(list) << list.error().reason;
    std::vector<std::string> result;
    for (const auto& each : *list) result.push_back(each.name);
    return result;
  }
  std::string folder;
};

TEST_F(ModulesTest, LoadsWhatIsNeededFirstAndOnce) {
  module("fs/nfsv4.ko", "nfs,sunrpc,dns-resolver");
  module("fs/deep/nfs.ko", "sunrpc");
  module("sunrpc.ko", "");
  module("dns-resolver.ko", "");
  EXPECT_THAT(order({"nfsv4", "nfs"}), ElementsAre("sunrpc", "nfs", "dns_resolver", "nfsv4"));
}

TEST_F(ModulesTest, BuiltInModulesAreLeftOut) {
  module("nfsv4.ko", "sunrpc");
  ASSERT_TRUE(write_file(folder + "/modules.builtin", "kernel/net/sunrpc/sunrpc.ko\nkernel/fs/overlayfs/overlay.ko\n"));
  EXPECT_THAT(order({"overlay", "nfsv4"}), ElementsAre("nfsv4"));
}

TEST_F(ModulesTest, ReadsCompressedModules) {
  module("a.ko", "b");
  module("b.ko", "");
  ASSERT_EQ(run_program({"gzip", folder + "/a.ko"}).value(), 0);
  EXPECT_THAT(order({"a"}), ElementsAre("b", "a"));
}

TEST_F(ModulesTest, SaysWhatIsMissing) {
  module("a.ko", "gone");
  const auto list = ModuleIndex::read(folder)->load_list({"a"});
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().reason, HasSubstr("gone"));
  fs::remove(folder + "/a.ko");
  EXPECT_FALSE(ModuleIndex::read(folder));
  EXPECT_FALSE(ModuleIndex::read(folder + "/nowhere"));
}

TEST_F(ModulesTest, DependenciesOfOddFiles) {
  EXPECT_THAT(module_dependencies(""), IsEmpty());
  EXPECT_THAT(module_dependencies(std::string_view("\0depends=a,,b-c", 15)), ElementsAre("a", "b_c"));
}

TEST_F(ModulesTest, AnInitramfsUnpacksToWhatWasPutIn) {
  CpioArchive archive;
  archive.add_directory("bin");
  archive.add_file("bin/hello", "#!/bin/sh\necho hello\n", true);
  archive.add_file("odd", "12345");
  ASSERT_TRUE(write_file(folder + "/archive", archive.finish()));
  std::string said;
  const std::string script = "cd " + folder + " && busybox cpio -id < archive && ./bin/hello && cat odd";
  ASSERT_EQ(run_program({"sh", "-c", script}, &said).value(), 0) << said;
  EXPECT_THAT(said, HasSubstr("hello\n12345"));
}

}  // namespace
}  // namespace pnfs::kernel
