// The Linux initiator at pnfs-target: open-iscsi in the guest logs in with mutual CHAP and both digests, makes an ext4
// file system and goes on writing while the target is killed and started again, twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "testbed/kernel/guest.hpp"
#include "tests/support/target_process.hpp"

namespace pnfs::kernel {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr int kRestarts = 2;

// A write-back cache, which outlives the process: with a volatile one the writes that nobody flushed would be gone, and
// Linux, unlike our own initiator, does not take the attention of a restarted target as a reason to write them again.
std::string config(const std::string& file) {
  return "Target " + support::TargetProcess::iqn() +
         "\n"
         "  IncomingUser joe joes-long-secret\n"
         "  OutgoingUser lab labs-long-secret\n"
         "  HeaderDigest CRC32C\n"
         "  DataDigest CRC32C\n"
         "  Lun 1 Path=" +
         file + ",Type=fileio,IOMode=wb\n";
}

// Prints RESTART when the target may die, and waits for nothing.
constexpr const char* kScript = R"sh(
set -e
load() { "$(cat /proc/sys/kernel/modprobe)" -q -- "$1"; }
load iscsi_tcp
load sd_mod
mkdir -p /run/lock/iscsi /etc/iscsi
rm -rf /etc/iscsi/nodes /etc/iscsi/send_targets
echo InitiatorName=iqn.2026-01.org.pnfslab:guest > /etc/iscsi/initiatorname.iscsi
cat > /etc/iscsi/iscsid.conf <<END
node.startup = manual
node.session.auth.authmethod = CHAP
node.session.auth.username = joe
node.session.auth.password = $JOE
node.session.auth.username_in = lab
node.session.auth.password_in = labs-long-secret
node.conn[0].iscsi.HeaderDigest = CRC32C
node.conn[0].iscsi.DataDigest = CRC32C
node.session.timeo.replacement_timeout = 120
node.conn[0].timeo.login_timeout = 15
node.conn[0].timeo.noop_out_interval = 0
node.conn[0].timeo.noop_out_timeout = 0
END
iscsid
adm() { iscsiadm -m node -T "$TARGET" -p 10.77.1.1:3260 "$@"; }
adm -o new >/dev/null
adm --login
i=0; while [ ! -b /dev/sda ]; do i=$((i+1)); [ $i -lt 200 ]; sleep 0.05; done
mkfs.ext4 -q -F /dev/sda
mkdir -p /mnt/disk
mount /dev/sda /mnt/disk
cd /mnt/disk
i=0
while [ $i -lt 45 ]; do
  mkdir -p d$((i % 5))
  head -c 200000 /dev/urandom > d$((i % 5))/f$i
  md5sum d$((i % 5))/f$i >> sums
  [ $((i % 5)) != 4 ] || sync
  [ $i != 15 ] && [ $i != 30 ] || echo RESTART
  i=$((i+1))
done
cd /
umount /mnt/disk
e2fsck -f -n /dev/sda
mount -o ro /dev/sda /mnt/disk
cd /mnt/disk
md5sum -c --quiet sums
wc -l < sums
cd /
umount /mnt/disk
adm --logout
)sh";

struct LinuxInitiator : ::testing::Test {
    std::unique_ptr<support::PnfsTarget> target = support::PnfsTarget::configured(48 << 20, config);
    std::string output, error_output;

    GuestOptions guest(const std::string& secret) {
      GuestOptions options;
      options.mount = false;
      options.servers = {{"target", target->socket(), 3260, ""}};
      options.command = {kScript};
      options.environment = {{"TARGET", support::TargetProcess::iqn()}, {"JOE", secret}};
      options.timeout = 300s;
      options.on_error_output = [this](std::string_view text) { error_output += text; };
      return options;
    }
    void SetUp() override {
      if (::access("/usr/sbin/iscsid", X_OK) != 0) GTEST_SKIP() << "the package open-iscsi is not installed";
      ASSERT_TRUE(target->start());
    }
  };

TEST_F(LinuxInitiator, KeepsAnExt4FileSystemWholeOverRestartsOfTheTarget) {
  int restarts = 0;
  std::string sessions;
  GuestOptions options = guest("joes-long-secret");
  options.on_output = [&](std::string_view text) {
    output += text;
    if (text.find("RESTART") == text.npos || restarts == kRestarts) return;
    ++restarts;
    sessions += target->session_view();
    target->kill();
    ::usleep(300'000);
    EXPECT_TRUE(target->start());
  };
  const auto done = run_guest(std::move(options));
  ASSERT_TRUE(done) << done.error().reason;
  EXPECT_EQ(done->exit_code, 0) << done->reason << output << error_output << done->kernel_log;
  EXPECT_EQ(restarts, kRestarts);
  EXPECT_THAT(sessions, HasSubstr("initiator:iqn.2026-01.org.pnfslab:guest"));
  EXPECT_THAT(sessions, HasSubstr("hd:crc32c dd:crc32c"));
  EXPECT_THAT(output, HasSubstr("\n45\n"));  // sums that fit
  EXPECT_THAT(done->kernel_log, HasSubstr("detected conn error"));
  // The same by another witness: the file behind the LUN.
  EXPECT_EQ(std::system(("e2fsck -f -n " + target->file() + " >/dev/null 2>&1").c_str()), 0);
}

TEST_F(LinuxInitiator, IsRefusedWithAWrongSecret) {
  const auto done = run_guest(guest("joes-wrong-secret"));
  ASSERT_TRUE(done) << done.error().reason;
  EXPECT_NE(done->exit_code, 0);
  EXPECT_THAT(error_output, HasSubstr("authorization failure"));
}

}  // namespace
}  // namespace pnfs::kernel
