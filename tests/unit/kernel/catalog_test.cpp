#include "testbed/kernel/catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "testbed/kernel/files.hpp"

namespace pnfs::kernel {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct CatalogTest : ::testing::Test {
  CatalogTest() {
    char name[] = "/tmp/catalog_test.XXXXXX";
    folder = ::mkdtemp(name);
    ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  }
  ~CatalogTest() override {
    ::unsetenv("XDG_CACHE_HOME");
    fs::remove_all(folder);
  }
  std::string folder;
};

TEST_F(CatalogTest, AKernelThatIsNotFetchedIsListedAndNamedWithItsCommand) {
  const auto kernels = list_kernels();
  const auto found =
      std::find_if(kernels.begin(), kernels.end(), [](const auto& k) { return k.name == "debian-6.12"; });
  ASSERT_NE(found, kernels.end());
  EXPECT_EQ(found->path, "");
  const auto image = find_kernel("debian-6.12", "");
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().reason, HasSubstr("pnfslab kernel add debian-6.12"));
}

TEST_F(CatalogTest, AFetchedKernelIsFoundByName) {
  const fs::path place = fs::path(kernel_cache_folder()) / "debian-6.12";
  fs::create_directories(place / "modules/6.12.101");
  fs::create_directories(place / "lib");
  ASSERT_TRUE(write_file((place / "linux").string(), "x"));
  const auto image = find_kernel("debian-6.12", "");
  ASSERT_TRUE(image) << image.error().reason;
  EXPECT_EQ(image->path, (place / "linux").string());
  EXPECT_EQ(image->modules, (place / "modules").string());
  EXPECT_EQ(image->library_path, (place / "lib").string());
  EXPECT_EQ(add_kernel("debian-6.12")->release, "6.12.101") << "fetched again";
}

TEST_F(CatalogTest, UnknownNamesListTheKnownOnes) {
  EXPECT_THAT(add_kernel("plan9").error().reason, HasSubstr("debian-5.10"));
  EXPECT_THAT(find_kernel("plan9", "").error().reason, HasSubstr("debian-5.10"));
}

TEST_F(CatalogTest, SetInterpreterRewritesAProgram) {
  const std::string program = folder + "/program";
  fs::copy_file("/bin/true", program);
  ASSERT_TRUE(set_interpreter(program, "./lib/ld.so"));
  EXPECT_THAT(read_file(program).value(), HasSubstr(std::string("./lib/ld.so\0", 12)));
  const auto too_long = set_interpreter(program, std::string(200, 'x'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Errc::too_large);
  ASSERT_TRUE(write_file(program, "#!/bin/sh\n"));
  EXPECT_EQ(set_interpreter(program, "x").error().code, Errc::corrupt);
}

}  // namespace
}  // namespace pnfs::kernel
