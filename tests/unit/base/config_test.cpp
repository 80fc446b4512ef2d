#include "common/base/config.hpp"

#include <gtest/gtest.h>

namespace pnfs {
namespace {

struct Options {
  std::string profile = "modern";
  uint32_t lease_seconds = 90;
  bool trace = false;
  std::vector<std::string> listen;
};

std::string problem_of(std::string_view text, Options& options) {
  auto file = ConfigFile::parse(text, "lab.toml");
  if (!file) return file.error().reason;
  ConfigReader mds = file->table("mds");
  mds.choice("profile", options.profile, {"modern", "dlm-2014"});
  mds.value("lease_seconds", options.lease_seconds, 1, 3600);
  mds.value("trace", options.trace);
  mds.value("listen", options.listen);
  const auto done = file->finish();
  return done ? "" : done.error().reason;
}

TEST(Config, ReadsWhatIsThereAndKeepsTheRest) {
  Options options;
  EXPECT_EQ(problem_of("[mds]\nlease_seconds = 5\nlisten = [\"a\", \"b\"]\n", options), "");
  EXPECT_EQ(options.lease_seconds, 5u);
  EXPECT_EQ(options.profile, "modern");
  EXPECT_EQ(options.listen.size(), 2u);
}

TEST(Config, ProblemsNameFileLineAndKey) {
  Options options;
  EXPECT_EQ(problem_of("[mds]\n\nlease_seconds = 0\n", options),
            "lab.toml:3: mds.lease_seconds: must be a whole number from 1 to 3600");
  EXPECT_EQ(problem_of("[mds]\nlease = 4\n", options),
            "lab.toml:2: mds.lease: unknown key; remove it or check its spelling");
  EXPECT_EQ(problem_of("[mds]\nprofile = \"x\"\n", options),
            "lab.toml:2: mds.profile: 'x' is not one of: modern, dlm-2014");
  EXPECT_EQ(problem_of("[mds]\ntrace = 1\n", options), "lab.toml:2: mds.trace: must be true or false");
  EXPECT_TRUE(problem_of("[mds\n", options).starts_with("lab.toml:1:"));
  EXPECT_TRUE(problem_of("[dms]\n", options).starts_with("lab.toml:1: dms: unknown key"));
}

}  // namespace
}  // namespace pnfs
