// The guest's init: one static program, so that boot costs no fork, no shell and nothing of the host but its files.
// Also the kernel's modprobe: the kernel starts it by the path in /proc/sys/kernel/modprobe, with another pid than 1.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "testbed/kernel/settings.hpp"

namespace pnfs::guest {

using kernel::Settings;

// Where the runner's folder (guest.conf in; status, mountstats, dmesg out) is mounted.
inline constexpr const char* kRunFolder = "/run/pnfslab";
// The host's files, in guests whose kernel cannot have an overlay above them.
inline constexpr const char* kHostFolder = "/run/host";

// A line on the console, which is the runner's log.
void say(const std::string& text);

// Small files.
bool read_file(const std::string& path, std::string& into);
bool write_file(const std::string& path, const std::string& text);

// root.cpp: a writable root that is private to this guest, above the host's read-only files.
bool make_private_root(const Settings& conf);

// modules.cpp: loads a module or an alias and what it needs; `folder` holds modules.dep. True when it is loaded or
// built in.
bool load_module(const std::string& folder, const std::string& name);
std::string modules_folder(const Settings& conf);

// network.cpp
void bring_up_network(const Settings& conf);

// child.cpp
struct ChildEnd {
  bool timed_out = false;
  int status = 0;  // exit status, or 128 + signal
};
// fork() with default signals in the child.
pid_t fork_child();
// Waits at most `timeout_ms` (0: without end), then kills the child. Reaps orphans meanwhile.
ChildEnd wait_child(pid_t pid, long long timeout_ms);

// nfs.cpp: 0, or the errno of the last attempt.
int mount_export(const Settings& conf);
// False when the unmount did not return in time.
bool unmount_export(const Settings& conf);

// command.cpp: the exit status as a shell gives it.
int run_command(const Settings& conf);
void prepare_terminals();
// Waits until the runner has read all output.
void drain_terminals();

}  // namespace pnfs::guest
