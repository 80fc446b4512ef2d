// The kernel client with real kernels: boots User-Mode Linux, runs commands, reaches servers of this process.
#include "testbed/kernel/guest.hpp"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/io/listener_inbox.hpp"
#include "testbed/kernel/catalog.hpp"
#include "testbed/kernel/files.hpp"
#include "testbed/kernel/process.hpp"

namespace pnfs::kernel {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

GuestOptions plain(std::vector<std::string> command) {
  GuestOptions options;
  options.mount = false;
  options.command = std::move(command);
  return options;
}

struct Captured {
  std::string output, error_output;
  GuestResult result;
};

Captured run(GuestOptions options) {
  Captured captured;
  options.on_output = [&](std::string_view text) { captured.output += text; };
  options.on_error_output = [&](std::string_view text) { captured.error_output += text; };
  auto result = run_guest(std::move(options));
  EXPECT_TRUE(result) << result.error().reason;
  if (result) captured.result = *result;
  return captured;
}

// Processes whose command line holds `text`, this one apart.
std::vector<pid_t> processes_with(const std::string& text) {
  std::vector<pid_t> found;
  DIR* folder = ::opendir("/proc");
  while (const dirent* entry = ::readdir(folder)) {
    const pid_t pid = ::atoi(entry->d_name);
    if (pid <= 0 || pid == ::getpid()) continue;
    const auto line = read_file(std::string("/proc/") + entry->d_name + "/cmdline");
    if (line && line->find(text) != std::string::npos) found.push_back(pid);
  }
  ::closedir(folder);
  return found;
}

bool gone_within(const std::string& text, Duration limit) {
  const SystemClock clock;
  for (const TimePoint end = clock.now() + limit; clock.now() < end; ::usleep(20'000))
    if (processes_with(text).empty()) return true;
  return false;
}

// This program again, with one of the tests below whose name starts with DISABLED_.
pid_t start_self(const std::string& test, const std::vector<std::string>& before = {}) {
  std::vector<std::string> words = before;
  words.push_back(std::filesystem::read_symlink("/proc/self/exe").string());
  words.push_back("--gtest_also_run_disabled_tests");
  words.push_back("--gtest_filter=" + test);
  const auto pid = start_program("/usr/bin/env", words, {0, 1, 2});
  EXPECT_TRUE(pid);
  return *pid;
}

int wait_for(pid_t pid) {
  int raw = 0;
  ::waitpid(pid, &raw, 0);
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

// One server of this process, on a thread of its own: greets each connection with its peer's address.
class Greeter {
 public:
  Greeter() {
    char name[] = "/tmp/kernel_test.XXXXXX";
    folder_ = ::mkdtemp(name);
    auto opened = io::ListenerInbox::open(context_, timers_, path(), [this](std::unique_ptr<io::Listener> listener) {
      return serve(this, std::move(listener));
    });
    EXPECT_TRUE(opened);
    inbox_ = std::move(*opened);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Greeter() {
    auto end = [](Greeter* self) -> io::Task<void> {
      self->inbox_->stop();
      co_await self->inbox_->join();
      self->context_.stop();
    };
    io::asio::co_spawn(context_, end(this), io::asio::detached);
    thread_.join();
    inbox_.reset();
    ::rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/mds.sock"; }
  size_t listeners() { return inbox_->listeners(); }

 private:
  static io::Task<void> serve(Greeter* self, std::unique_ptr<io::Listener> listener) {
    for (;;) {
      auto stream = co_await listener->accept();
      if (!stream) co_return;
      const std::string text = "hello " + (*stream)->remote().address().to_string() + "\n";
      const io::ConstBytes piece = std::as_bytes(std::span(text.data(), text.size()));
      (void)co_await (*stream)->write({&piece, 1});
      (*stream)->close();
    }
    (void)self;
  }

  io::asio::io_context context_;
  SystemClock clock_;
  io::AsioTimers timers_{context_.get_executor(), clock_};
  std::string folder_;
  std::unique_ptr<io::ListenerInbox> inbox_;
  std::thread thread_;
};

TEST(KernelClient, RunsACommandAndReturnsItsCode) {
  const Captured captured = run(plain({"uname -sr; echo to-error >&2; hostname; exit 7"}));
  EXPECT_EQ(captured.result.outcome, Outcome::exited) << captured.result.reason;
  EXPECT_EQ(captured.result.exit_code, 7);
  EXPECT_EQ(captured.output, "Linux " + captured.result.kernel_release + "\nclient1\n");
  EXPECT_EQ(captured.error_output, "to-error\n");
  EXPECT_THAT(captured.result.kernel_log, HasSubstr("Linux version"));
  EXPECT_TRUE(captured.result.kernel_problems.empty());
  fmt::print("boot {} ms, all {} ms\n", captured.result.boot_time / 1ms, captured.result.total_time / 1ms);
}

TEST(KernelClient, PassesArgumentsAndEnvironmentUntouched) {
  GuestOptions options = plain({"/usr/bin/printf", "%s|", "a b", "", "$HOME 'x'"});
  EXPECT_EQ(run(options).output, "a b||$HOME 'x'|");
  options = plain({"echo $COLOUR; pwd"});
  options.environment["COLOUR"] = "dark blue";
  options.working_directory = "/usr/share";
  EXPECT_EQ(run(options).output, "dark blue\n/usr/share\n");
}

TEST(KernelClient, StandardDescriptorsArePipesThatCarryEveryByte) {
  EXPECT_EQ(run(plain({"for fd in 0 1 2; do test -p /dev/fd/$fd && echo $fd; done; tty"})).output,
            "0\n1\n2\nnot a tty\n");
  const Captured captured = run(
      plain({"python3", "-c",
             "import sys; b = bytes(range(256)) * 300; sys.stdout.buffer.write(b); sys.stderr.buffer.write(b[::-1])"}));
  std::string all;
  for (int i = 0; i < 256 * 300; ++i) all.push_back(char(i % 256));
  EXPECT_EQ(captured.output == all, true) << captured.output.size();
  EXPECT_EQ(captured.error_output == std::string(all.rbegin(), all.rend()), true) << captured.error_output.size();
}

TEST(KernelClient, InputReachesTheCommand) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  std::string all;
  for (int i = 0; i < 600'000; ++i) all.push_back(char(i * 7 % 251));
  std::jthread writer([&all, to = std::move(pipe->write_end)]() mutable {
    for (size_t done = 0; done < all.size();) {
      const ssize_t wrote = ::write(to.get(), all.data() + done, all.size() - done);
      if (wrote <= 0) return;
      done += size_t(wrote);
    }
    to.reset();
  });
  GuestOptions options = plain({"cat; echo end"});
  options.input_fd = pipe->read_end.get();
  const Captured captured = run(options);
  EXPECT_EQ(captured.output == all + "end\n", true) << captured.output.size();
  // A command that reads nothing does not wait for it.
  auto idle = make_pipe();
  options = plain({"true"});
  options.input_fd = idle->read_end.get();
  EXPECT_EQ(run(options).result.exit_code, 0);
}

TEST(KernelClient, ATerminalIsOneWhenAskedFor) {
  auto pipe = make_pipe();
  GuestOptions options = plain({"tty; stty size; read line; echo got $line >&2"});
  options.terminal = true;
  options.terminal_rows = 40;
  options.terminal_columns = 132;
  options.input_fd = pipe->read_end.get();
  ASSERT_EQ(::write(pipe->write_end.get(), "typed\r", 6), 6);
  const Captured captured = run(options);
  EXPECT_THAT(captured.output, HasSubstr("/dev/pts/0\r\n"));
  EXPECT_THAT(captured.output, HasSubstr("40 132\r\n"));
  EXPECT_THAT(captured.output, HasSubstr("got typed\r\n"));
  EXPECT_EQ(captured.error_output, "");
}

TEST(KernelClient, ExitCodesAndSignals) {
  EXPECT_EQ(run(plain({"kill -9 $$"})).result.exit_code, 137);
  EXPECT_EQ(run(plain({"kill -TERM $$"})).result.exit_code, 143);
  EXPECT_EQ(run(plain({"/nonexistent", "x"})).result.exit_code, 127);
  // What the command leaves running ends with it, and its output up to then is not lost.
  EXPECT_EQ(run(plain({"(echo child; sleep 1000) & sleep 0.3; yes | head -n 1"})).output, "child\ny\n");
}

TEST(KernelClient, CapturesItsPackets) {
  Greeter server;
  const std::string file = fmt::format("/tmp/kernel_test_{}.pcap", ::getpid());
  GuestOptions options = plain({"bash -c 'cat < /dev/tcp/10.77.1.1/12049'"});
  options.servers = {{"mds", server.path(), 12049, ""}};
  options.capture_file = file;
  const Captured captured = run(options);
  EXPECT_EQ(captured.result.capture_problem, "");
  EXPECT_GE(captured.result.captured_packets, 7u);  // three to open, the greeting, three to close
  const auto bytes = read_file(file);
  ASSERT_TRUE(bytes);
  EXPECT_NE(bytes->find("hello 10.77.1.2\n"), std::string::npos);
  ::unlink(file.c_str());
  options.capture_file = "/nonexistent/file.pcap";
  const auto refused = run_guest(options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().reason, HasSubstr("/nonexistent/file.pcap"));
}

TEST(KernelClient, LosesNoOutput) {
  const Captured captured = run(plain({"seq 1 200000"}));
  EXPECT_EQ(captured.result.exit_code, 0);
  EXPECT_EQ(captured.output.size(), 1288895u);
  EXPECT_EQ(captured.output.substr(captured.output.size() - 7), "200000\n");
}

TEST(KernelClient, WritesStayInTheGuest) {
  const std::string path = fmt::format("/tmp/kernel_test_written_{}", ::getpid());
  EXPECT_EQ(run(plain({"echo x > " + path + " && cat " + path})).output, "x\n");
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(KernelClient, TheSharedFolderIsWritable) {
  char name[] = "/tmp/kernel_test.XXXXXX";
  const std::string folder = ::mkdtemp(name);
  GuestOptions options = plain({"echo from-guest > /mnt/shared/file"});
  options.shared_directory = folder;
  EXPECT_EQ(run(options).result.exit_code, 0);
  EXPECT_EQ(read_file(folder + "/file").value(), "from-guest\n");
  std::filesystem::remove_all(folder);
}

TEST(KernelClient, ABlacklistedModuleStaysOut) {
  GuestOptions options = plain({"grep -c ^nfs_layout_nfsv41_files /proc/modules"});
  EXPECT_EQ(run(options).output, "1\n");
  options.kernel_arguments = {"modprobe.blacklist=nfs_layout_nfsv41_files"};
  EXPECT_EQ(run(options).output, "0\n");
}

TEST(KernelClient, APanicIsToldApart) {
  const Captured captured =
      run(plain({"echo before; echo 1 > /proc/sys/kernel/panic_on_oops; kill -9 1; "
                 "echo c > /proc/sysrq-trigger; sleep 100"}));
  EXPECT_EQ(captured.result.outcome, Outcome::panicked) << captured.result.reason;
  EXPECT_EQ(captured.result.exit_code, 125);
  EXPECT_EQ(captured.output, "before\n");
  EXPECT_THAT(captured.result.reason, HasSubstr("panic"));
  EXPECT_FALSE(captured.result.kernel_problems.empty());
}

TEST(KernelClient, ATimeOutIsToldApart) {
  GuestOptions options = plain({"echo before; sleep 1000"});
  options.timeout = 5s;
  const Captured captured = run(options);
  EXPECT_EQ(captured.result.outcome, Outcome::timed_out);
  EXPECT_EQ(captured.result.exit_code, 125);
  EXPECT_EQ(captured.output, "before\n");
}

// The kernels that `pnfslab kernel add` fetches; those that are not here are not tested.
class ForeignKernel : public ::testing::TestWithParam<const char*> {};

TEST_P(ForeignKernel, BootsAndReachesAServer) {
  const auto kernels = list_kernels();
  const auto known = std::find_if(kernels.begin(), kernels.end(), [](const auto& k) { return k.name == GetParam(); });
  ASSERT_NE(known, kernels.end());
  if (known->path.empty()) GTEST_SKIP() << "not fetched: pnfslab kernel add " << GetParam();
  Greeter server;
  GuestOptions options =
      plain({"uname -r; bash -c 'cat < /dev/tcp/10.77.1.1/12049' | cut -c1-8; touch /mnt/x /tmp/x && lsmod"});
  options.kernel_path = GetParam();
  options.timeout = 300s;  // QEMU without KVM takes its time
  options.servers = {{"mds", server.path(), 12049, ""}};
  const Captured captured = run(options);
  EXPECT_EQ(captured.result.exit_code, 0) << captured.result.reason << captured.error_output;
  EXPECT_THAT(captured.output, HasSubstr(known->release + "\nhello 10\n"));
  EXPECT_THAT(captured.output, HasSubstr("nfs_layout_nfsv41_files"));
}

INSTANTIATE_TEST_SUITE_P(Kernels, ForeignKernel,
                         ::testing::Values("debian-5.10", "debian-6.12", "debian-6.1-amd64", "debian-6.12-amd64",
                                           "debian-backports-amd64"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name)
                             if (c == '-' || c == '.') c = '_';
                           return name;
                         });

// A machine that booted once and is restored for each run: it has the run's network, time and command line of init.
TEST(SavedMachine, EveryRunGoesOnFromIt) {
  const auto kernels = list_kernels();
  const auto known =
      std::find_if(kernels.begin(), kernels.end(), [](const auto& k) { return k.name == "debian-6.12-amd64"; });
  if (known == kernels.end() || known->path.empty())
    GTEST_SKIP() << "not fetched: pnfslab kernel add debian-6.12-amd64";
  GuestOptions save;
  save.kernel_path = "debian-6.12-amd64";
  save.mount = false;
  save.snapshot = true;
  const auto saved = run_guest(save);
  ASSERT_TRUE(saved) << saved.error().reason;
  ASSERT_EQ(saved->reason, "");
  for (unsigned number : {1u, 2u}) {
    Greeter server;
    GuestOptions options =
        plain({fmt::format("bash -c 'cat < /dev/tcp/10.77.{}.1/12049' | cut -c1-8; date +%s", number)});
    options.kernel_path = "debian-6.12-amd64";
    options.number = number;
    options.servers = {{"mds", server.path(), 12049, ""}};
    const auto began = ::time(nullptr);
    const Captured captured = run(options);
    EXPECT_EQ(captured.result.exit_code, 0) << captured.result.reason << captured.error_output;
    ASSERT_TRUE(captured.output.starts_with("hello 10\n")) << captured.output;
    EXPECT_GE(std::atol(captured.output.c_str() + 9), began - 1);
    EXPECT_LT(captured.result.boot_time, saved->total_time / 2) << "it was not restored";
  }
}

TEST(KernelClient, AKernelThatCannotRunIsASentence) {
  GuestOptions options = plain({"true"});
  options.kernel_path = "/nonexistent/linux";
  auto missing = run_guest(options);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().reason, HasSubstr("/nonexistent/linux"));

  options.kernel_path = "/bin/false";
  auto useless = run_guest(options);
  ASSERT_TRUE(useless);
  EXPECT_EQ(useless->outcome, Outcome::not_started);
  EXPECT_EQ(useless->exit_code, 125);
}

TEST(KernelClient, ReachesAServerThroughAPassedSocket) {
  Greeter server;
  GuestOptions options = plain({"bash -c 'cat < /dev/tcp/10.77.9.1/12049; cat < /dev/tcp/10.77.200.1/12049'"});
  options.number = 9;
  options.servers = {{"mds", server.path(), 12049, ""}, {"mds", server.path(), 12049, "10.77.200.1"}};
  const Captured captured = run(options);
  EXPECT_EQ(captured.output, "hello 10.77.9.2\nhello 10.77.9.2\n") << captured.error_output;
  for (int i = 0; i < 100 && server.listeners() != 0; ++i) ::usleep(10'000);
  EXPECT_EQ(server.listeners(), 0u);
}

TEST(KernelClient, AServerThatIsNotThereIsASentence) {
  GuestOptions options = plain({"true"});
  options.servers = {{"mds", "/tmp/no-such-folder/mds.sock", 12049, ""}};
  const auto result = run_guest(options);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().reason, HasSubstr("mds"));
  EXPECT_THAT(result.error().reason, HasSubstr("is it running"));
}

TEST(KernelClient, AMountThatNobodyAnswersFails) {
  GuestOptions options = plain({"echo not reached"});
  options.mount = true;
  options.mount_port = 12049;
  options.mount_timeout = 5s;
  const Captured captured = run(options);
  EXPECT_EQ(captured.result.outcome, Outcome::mount_failed);
  EXPECT_EQ(captured.result.exit_code, 32);
  EXPECT_NE(captured.result.mount_errno, 0);
  EXPECT_EQ(captured.output, "");
}

TEST(KernelClient, TwoGuestsAtOnce) {
  Greeter server;
  std::vector<std::unique_ptr<Guest>> guests;
  std::string output[2];
  for (unsigned i = 0; i < 2; ++i) {
    GuestOptions options = plain({fmt::format("hostname; bash -c 'cat < /dev/tcp/10.77.{}.1/12049'", i + 1)});
    options.number = i + 1;
    options.servers = {{"mds", server.path(), 12049, ""}};
    options.on_output = [&output, i](std::string_view text) { output[i] += text; };
    auto guest = start_guest(options);
    ASSERT_TRUE(guest) << guest.error().reason;
    guests.push_back(std::move(*guest));
  }
  for (auto& guest : guests) EXPECT_EQ(guest->wait().exit_code, 0);
  EXPECT_EQ(output[0], "client1\nhello 10.77.1.2\n");
  EXPECT_EQ(output[1], "client2\nhello 10.77.2.2\n");
}

TEST(KernelClient, StoppingLeavesNothingBehind) {
  const std::string tag = fmt::format("stop{}", ::getpid());
  GuestOptions options = plain({"sleep 1000"});
  options.hostname = tag;
  options.kernel_arguments = {"pnfslab_tag=" + tag};
  auto guest = start_guest(options);
  ASSERT_TRUE(guest);
  EXPECT_FALSE(processes_with(tag).empty());
  (*guest)->stop();
  const GuestResult result = (*guest)->wait();
  EXPECT_EQ(result.outcome, Outcome::interrupted);
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_TRUE(gone_within(tag, 1s));
}

// Started by the tests below; says when the guest runs by a file of its own.
TEST(KernelClient, DISABLED_LongGuest) {
  const std::string tag = std::getenv("KERNEL_TEST_TAG");
  GuestOptions options = plain({"sleep 1000"});
  options.hostname = tag;
  options.kernel_arguments = {"pnfslab_tag=" + tag};
  run(options);
}

TEST(KernelClient, DeathOfTheCallerOrTheSupervisorEndsTheGuest) {
  for (const int number : {SIGKILL, SIGTERM, SIGINT}) {
    const std::string tag = fmt::format("death{}-{}", number, ::getpid());
    const pid_t caller = start_self("KernelClient.DISABLED_LongGuest", {"KERNEL_TEST_TAG=" + tag});
    for (int i = 0; i < 500 && processes_with("pnfslab_tag=" + tag).empty(); ++i) ::usleep(20'000);
    ASSERT_FALSE(processes_with("pnfslab_tag=" + tag).empty());
    ::usleep(300'000);
    ::kill(caller, number);
    EXPECT_EQ(wait_for(caller), 128 + number);
    EXPECT_TRUE(gone_within(tag, 3s));
  }
  GuestOptions options = plain({"sleep 1000"});
  options.hostname = fmt::format("super{}", ::getpid());
  options.kernel_arguments = {"pnfslab_tag=" + options.hostname};
  auto guest = start_guest(options);
  ASSERT_TRUE(guest);
  for (int i = 0; i < 500 && processes_with("pnfslab_tag=" + options.hostname).empty(); ++i) ::usleep(20'000);
  for (const pid_t pid : processes_with(options.hostname)) {
    const auto line = read_file(fmt::format("/proc/{}/cmdline", pid));
    if (line && line->find("pnfs-guest") != std::string::npos && line->find("pnfslab_tag") == std::string::npos)
      ::kill(pid, SIGKILL);
  }
  EXPECT_EQ((*guest)->wait().exit_code, 125);
  EXPECT_TRUE(gone_within("pnfslab_tag=" + options.hostname, 3s));
}

// Whether somebody else than root could come as far as this program: not where a clone lies in root's home.
bool others_can_reach_us() {
  namespace fs = std::filesystem;
  for (fs::path folder = fs::read_symlink("/proc/self/exe").parent_path(); folder != folder.root_path(); folder = folder.parent_path())
    if ((fs::status(folder).permissions() & fs::perms::others_exec) == fs::perms::none) return false;
  return true;
}

TEST(KernelClient, WorksWithoutPrivilege) {
  if (::geteuid() != 0) GTEST_SKIP() << "already unprivileged";
  if (!others_can_reach_us()) GTEST_SKIP() << "nobody but root can enter the folder of this build";
  const std::vector<std::string> as_nobody = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
  EXPECT_EQ(
      wait_for(start_self(
          "KernelClient.ReachesAServer*:KernelClient.RunsACommand*:KernelClient.WritesStay*:KernelClient.Captures*",
          as_nobody)),
      0);
}

// Started below in a user namespace where no further ones may be made.
TEST(KernelClient, DISABLED_Forbidden) {
  const auto result = run_guest(plain({"true"}));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().reason,
              HasSubstr("does not let the kernel client make its own user and network namespace"));
  EXPECT_THAT(result.error().reason, HasSubstr("user.max_user_namespaces"));
}

TEST(KernelClient, SaysWhyNamespacesAreForbidden) {
  const std::vector<std::string> forbidden = {
      "unshare",
      "-Ur",
      "sh",
      "-c",
      "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -all --inh-caps -all \"$@\"",
      "sh"};
  EXPECT_EQ(wait_for(start_self("KernelClient.DISABLED_Forbidden", forbidden)), 0);
}

}  // namespace
}  // namespace pnfs::kernel
