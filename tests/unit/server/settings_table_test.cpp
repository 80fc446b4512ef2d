#include "common/server/settings_table.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/server/options.hpp"

namespace pnfs::server {
namespace {

struct Settings {
  std::vector<std::string> listen;
  uint32_t lease_seconds = 90;
  std::string profile = "modern";
  bool read_only = false;
  bool no_delegations = false;
  CommonOptions common;
};

class SettingsTableTest : public testing::Test {
 protected:
  SettingsTableTest() : folder_(testing::TempDir() + "settings" + std::to_string(::getpid())) {
    std::filesystem::create_directory(folder_);
  }
  ~SettingsTableTest() override { std::filesystem::remove_all(folder_); }

  std::string file(std::string_view text) {
    const std::string path = folder_ + "/mds.toml";
    std::ofstream(path) << text;
    return path;
  }

  // The exit code, or none when the process would go on; what was said is in error_.
  std::optional<int> read(std::vector<std::string> words) {
    settings_ = {};
    CLI::App app("A server.", "pnfs-test");
    SettingsTable table(app, "mds");
    table.add("--listen", "listen", settings_.listen, "Where");
    table.add("--lease-seconds", "lease_seconds", settings_.lease_seconds, 1, 3600, "Lease");
    table.add_choice("--profile", "profile", settings_.profile, {"modern", "dlm-2014"}, "Which");
    table.add_flag("--read-only", "read_only", settings_.read_only, "Refuse changes");
    table.add_no_flag("--no-delegations", "delegations", settings_.no_delegations, "None");
    declare(table, settings_.common);
    words.insert(words.begin(), "pnfs-test");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    testing::internal::CaptureStderr();
    const auto code = table.parse(static_cast<int>(arguments.size()), arguments.data());
    error_ = testing::internal::GetCapturedStderr();
    return code;
  }

  std::string folder_;
  Settings settings_;
  std::string error_;
};

TEST_F(SettingsTableTest, TheFileWinsOverDefaultsAndTheCommandLineOverTheFile) {
  const std::string path = file(
      "[mds]\nlisten = [\"a\", \"b\"]\nlease_seconds = 5\nprofile = \"dlm-2014\"\nread_only = true\n"
      "delegations = false\ntrace = \"t.jsonl\"\nfault_seed = 7\n");
  ASSERT_EQ(read({"--config", path}), std::nullopt) << error_;
  EXPECT_EQ(settings_.listen, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(settings_.lease_seconds, 5u);
  EXPECT_EQ(settings_.profile, "dlm-2014");
  EXPECT_TRUE(settings_.read_only);
  EXPECT_TRUE(settings_.no_delegations);
  EXPECT_EQ(settings_.common.trace, "t.jsonl");
  EXPECT_EQ(settings_.common.fault_seed, 7u);
  ASSERT_EQ(read({"--config", path, "--listen", "c", "--lease-seconds", "9", "--profile", "modern", "--trace", "u"}),
            std::nullopt);
  EXPECT_EQ(settings_.listen, std::vector<std::string>{"c"});
  EXPECT_EQ(settings_.lease_seconds, 9u);
  EXPECT_EQ(settings_.profile, "modern");
  EXPECT_EQ(settings_.common.trace, "u");
}

TEST_F(SettingsTableTest, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_EQ(read({"--config", file("[mds]\nlease_seconds = 0\n")}), kUsageFailure);
  EXPECT_NE(error_.find("mds.toml:2: mds.lease_seconds: must be a whole number from 1 to 3600"), std::string::npos)
      << error_;
  EXPECT_EQ(read({"--config", file("[mds]\nready_fd = 3\n")}), kUsageFailure) << "only the command line says it";
  EXPECT_EQ(read({"--config", folder_ + "/none.toml"}), kUsageFailure);
  EXPECT_EQ(read({"--profile", "2014"}), kUsageFailure);
  EXPECT_TRUE(error_.starts_with("pnfs-test: --profile: ")) << error_;
  EXPECT_NE(error_.find("(see --help)"), std::string::npos);
  EXPECT_EQ(read({"--lease-seconds", "0"}), kUsageFailure);
}

TEST_F(SettingsTableTest, MetricsAreServedOnLoopbackOnly) {
  ASSERT_EQ(read({"--metrics", "9100"}), std::nullopt);
  EXPECT_TRUE(check(settings_.common));
  ASSERT_EQ(read({"--metrics", "192.0.2.1:9100"}), std::nullopt);
  EXPECT_FALSE(check(settings_.common));
}

}  // namespace
}  // namespace pnfs::server
