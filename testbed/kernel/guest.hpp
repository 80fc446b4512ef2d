// A real, unmodified Linux kernel as the NFS client: boots it, mounts the export, runs one command in it.
//
// The kernel runs in namespaces of its own (user, mount, process, network), made without any privilege. The servers
// are reached through listening sockets made inside that network and passed to them (common/io/listener_inbox.hpp).
// Every byte a guest writes to its root file system is its own and goes with it; it sees the host's files read-only.
//
// Ownership: a Guest owns its processes. When it is destroyed, or when the process that holds it dies in any way, all
// of them end and nothing is left behind. Threading: any one thread at a time; wait() blocks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace pnfs::kernel {

// One running server that the guest shall reach.
struct ServerPort {
  std::string node;          // "mds", "ds1": for messages
  std::string control_path;  // the server's listener inbox: STATE_DIR/<node>.sock
  uint16_t port = 0;
  std::string address;  // IPv4 inside the guest's network; empty: the address that `number` gives
};

struct GuestOptions {
  // Guests that run at the same time differ in number: it gives hostname client<number>, the servers' address
  // 10.77.<number>.1 and the guest's 10.77.<number>.2. 1 to 250.
  unsigned number = 1;
  std::string hostname;      // empty: client<number>
  std::string kernel_path;   // empty: the installed user-mode-linux, or PNFSLAB_KERNEL
  std::string modules_path;  // folder that holds <release>/modules.dep; empty: what belongs to that kernel
  unsigned memory_mib = 256;
  Duration timeout = std::chrono::seconds(120);  // from start to power-off; an emulated machine gets more
  std::vector<std::string> kernel_arguments;     // added to the kernel's command line
  // Boot under QEMU and keep the machine for later runs (snapshot.hpp), which then start in seconds; nothing is run.
  bool snapshot = false;
  std::vector<std::string> sysctls;  // "sunrpc.rpc_debug=0": written below /proc/sys before the mount

  std::vector<ServerPort> servers;

  // Instead of `servers`: the guest is attached to a network that is there, as a machine of its own with this address
  // and prefix, behind `attach_interface` ("auto": the one in that network). It then has no namespaces and needs the
  // capability NET_RAW: the way inside a container. mount_address says where the MDS is.
  std::string attach_interface;
  std::string guest_address;
  unsigned guest_prefix = 24;
  std::string guest_gateway;

  // Or: the guest is a machine of its own on a bridge in another network namespace (a file like /proc/PID/fd/N; the
  // user namespace too when it belongs to another one than ours), with guest_address. It has namespaces of its own.
  std::string bridge, bridge_namespace, user_namespace;

  // All packets between the guest and the servers go into this pcap file, from before the guest starts until it has
  // ended; empty: none.
  std::string capture_file;

  bool mount = true;
  std::string mount_address;  // empty: the servers' address
  uint16_t mount_port = 2049;
  std::string mount_path = "/";  // the export
  std::string mount_point = "/mnt/pnfs";
  std::string vers = "4.1";   // empty: 4.2, then 4.1
  std::string mount_options;  // further ones: "hard,noac"
  Duration mount_timeout = std::chrono::seconds(60);

  // One element is a shell command line; several are a program and its arguments. Empty: mount and unmount only.
  std::vector<std::string> command;
  std::string working_directory;  // empty: /
  std::map<std::string, std::string> environment;
  // What the command reads as its standard input; -1: nothing, at its end from the start. The caller keeps it open
  // until start_guest() has returned.
  int input_fd = -1;
  // The command gets a terminal of this size instead of pipes; its error output then comes with its output.
  bool terminal = false;
  unsigned terminal_rows = 24, terminal_columns = 80;
  std::string shared_directory;  // a host folder, writable in the guest at /mnt/shared; empty: none

  // Called with the command's output while it runs, by the thread in wait().
  std::function<void(std::string_view)> on_output;
  std::function<void(std::string_view)> on_error_output;
};

enum class Outcome {
  exited,        // the command ran; exit_code is its own (128 + signal when it was killed)
  mount_failed,  // exit_code 32, mount_errno says why
  panicked,      // the guest's kernel gave up
  timed_out,
  interrupted,  // stop() or a signal
  not_started,  // the kernel did not come up
};
std::string_view to_string(Outcome outcome);

struct GuestResult {
  Outcome outcome = Outcome::not_started;
  // What a script should see: the command's code, 32 for a failed mount, 130 when interrupted, else 125 ("could not
  // test", which git bisect skips).
  int exit_code = 125;
  int mount_errno = 0;
  std::string reason;                        // a sentence; empty when the command ran
  std::string kernel_release;                // "6.1.176"
  std::string kernel_log;                    // all of dmesg; after a panic what the console showed
  std::vector<std::string> kernel_problems;  // lines of WARNING, BUG, Oops, hung task, panic
  std::string mountstats;                    // /proc/self/mountstats after the command, before the unmount
  bool unmount_hung = false;
  uint64_t captured_packets = 0;
  std::string capture_problem;  // why the capture is not complete; empty when it is
  std::string console;          // everything on the console, with boot messages of the runner
  Duration boot_time{}, total_time{};
};

class Guest {
 public:
  virtual ~Guest() = default;
  // Until the guest has powered off or is stopped. Once.
  virtual GuestResult wait() = 0;
  // May be called from another thread or a signal handler.
  virtual void stop() = 0;
};

// Errors are what a person has to put right: no kernel package, namespaces forbidden, a server that does not answer.
// (What goes wrong later is in the result.)
Result<std::unique_ptr<Guest>> start_guest(GuestOptions options);

// start_guest and wait.
Result<GuestResult> run_guest(GuestOptions options);

}  // namespace pnfs::kernel
