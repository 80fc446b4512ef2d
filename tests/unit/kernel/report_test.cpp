#include "testbed/kernel/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbed/kernel/settings.hpp"

namespace pnfs::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Report, FindsWhatNoHealthyClientPrints) {
  EXPECT_THAT(kernel_problems("<4>[    1.230000] WARNING: CPU: 0 PID: 1 at fs/nfs/pnfs.c:1\r\n"
                              "<6>[    1.240000] NFS: v4 server 10.77.1.1 returned an error\n"
                              "[    2.000000] BUG: kernel NULL pointer dereference\n"
                              "INFO: task sh:12 blocked for more than 120 seconds."),
              ElementsAre("WARNING: CPU: 0 PID: 1 at fs/nfs/pnfs.c:1", "BUG: kernel NULL pointer dereference",
                          "INFO: task sh:12 blocked for more than 120 seconds."));
  EXPECT_THAT(kernel_problems(""), IsEmpty());
  EXPECT_THAT(kernel_problems("<6>nfs4filelayout_init: NFSv4 File Layout Driver Registering...\n"), IsEmpty());
}

TEST(Report, PanicTextIsOneLine) {
  EXPECT_EQ(panic_text("a\n[ 1.0] Kernel panic - not syncing: Attempted to kill init!\r\nCPU: 0\n"),
            "Attempted to kill init!");
  EXPECT_EQ(panic_text("all is well"), "");
}

TEST(Report, LastLines) {
  EXPECT_EQ(last_lines("a\nb\nc\n", 2), "b\nc");
  EXPECT_EQ(last_lines("a\nb\n", 5), "a\nb");
  EXPECT_EQ(last_lines("", 3), "");
}

TEST(SettingsTest, RoundTripKeepsOrderAndOddValues) {
  Settings settings;
  settings.add("arg", "a=b\nc");
  settings.add("arg", "");
  settings.add("number", 42);
  const Settings back = Settings::parse(settings.bytes());
  EXPECT_THAT(back.all("arg"), ElementsAre("a=b\nc", ""));
  EXPECT_EQ(back.number("number"), 42);
  EXPECT_EQ(back.number("absent", 7), 7);
  EXPECT_EQ(Settings::parse("no equals").bytes(), "");
}

}  // namespace
}  // namespace pnfs::kernel
