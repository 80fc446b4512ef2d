#include "common/nfs/valid_errors.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "common/nfs/op_info.hpp"

namespace pnfs::nfs {
namespace {

using Pairs = std::set<std::pair<std::string, std::string>>;

Pairs golden() {
  const std::filesystem::path path = std::filesystem::path(__FILE__).parent_path() / "../../golden/valid_errors.tsv";
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  Pairs out;
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    if (line.starts_with('#') || tab == std::string::npos) continue;
    out.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return out;
}

TEST(ValidErrorsTest, CompiledTableIsTheRfcsTable) {
  Pairs compiled;
  for (const auto table : {operations(), callbacks()})
    for (const OpInfo& op : table)
      for (const nfsstat4 error : valid_errors(op.name)) compiled.emplace(op.name, status_name(error));
  const Pairs expected = golden();
  EXPECT_EQ(expected.size(), 1213u);
  EXPECT_EQ(compiled, expected);
}

TEST(ValidErrorsTest, ExceptionsAreThoseOfTheListAndCiteTheirSections) {
  const std::filesystem::path path =
      std::filesystem::path(__FILE__).parent_path() / "../../golden/error_exceptions.tsv";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::vector<std::string> listed, compiled;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) listed.push_back(line);
  }
  for (const ErrorException& e : error_exceptions()) {
    compiled.push_back(fmt::format("{}\t{}\t{}\t{}", e.op, status_name(e.error), e.section, e.why));
    EXPECT_FALSE(is_valid_error(e.op, e.error)) << "no exception: " << compiled.back();
    EXPECT_NE(e.section, "");
  }
  EXPECT_EQ(compiled, listed);
  EXPECT_TRUE(may_return("LAYOUTGET", NFS4ERR_RETURNCONFLICT));
  EXPECT_TRUE(may_return("LAYOUTGET", NFS4ERR_BADIOMODE));
  EXPECT_TRUE(may_return("OPEN", NFS4ERR_NOTSUPP));
  EXPECT_FALSE(may_return("OPEN", NFS4ERR_RETURNCONFLICT));
}

TEST(ValidErrorsTest, LookUps) {
  EXPECT_TRUE(is_valid_error("LAYOUTGET", NFS4ERR_BADIOMODE));
  EXPECT_FALSE(is_valid_error("GETATTR", NFS4ERR_BADIOMODE));
  EXPECT_TRUE(is_valid_error("GETATTR", NFS4_OK));
  EXPECT_FALSE(is_valid_error("NOTHING", NFS4ERR_IO));
  EXPECT_EQ(error_section(NFS4ERR_BADIOMODE), "15.1.10.1");
  EXPECT_EQ(error_section(static_cast<nfsstat4>(4242)), "");
  for (const auto& e : nfsstat4_enumerators)
    if (e.value != NFS4ERR_RESOURCE) {
      EXPECT_NE(error_section(static_cast<nfsstat4>(e.value)), "") << e.name;
    }
}

}  // namespace
}  // namespace pnfs::nfs
