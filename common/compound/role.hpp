// What a server (MDS, data server) supplies to the parts of NFSv4.1 that are the same in both.
#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/compound/context.hpp"
#include "common/compound/op_table.hpp"
#include "common/fault/injector.hpp"
#include "common/io/timer_queue.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::compound {

// Who the server is (RFC 8881 2.10.4, 2.10.5; design, Identity): the same over restarts, different between nodes.
struct Identity {
  std::string major_id;  // so_major_id
  uint64_t minor_id = 0;
  std::string scope;         // eir_server_scope
  uint32_t pnfs_flags = 0;   // EXCHGID4_FLAG_USE_PNFS_MDS, _USE_PNFS_DS, _USE_NON_PNFS: what the server is
  uint32_t extra_flags = 0;  // EXCHGID4_FLAG_SUPP_MOVED_REFER and the like, where the server does that
  std::string impl_domain;   // eir_server_impl_id
  std::string impl_name;
};

// One object for each server, alive as long as its services. session::Owner's calls come from inside table calls.
class Role : public session::Owner {
 public:
  virtual std::string_view node() const = 0;  // "mds", "ds1": who speaks in the trace
  virtual const OpTableBase& ops() const = 0;
  virtual session::SessionTable& sessions() = 0;
  virtual const Identity& identity() const = 0;
  virtual io::TimerQueue& timers() = 0;
  virtual trace::Sink& trace() = 0;
  virtual fault::Injector& faults() = 0;
  TimePoint now() { return timers().now(); }

  // ---- filehandles ----
  // PUTFH: NFS4ERR_BADHANDLE, NFS4ERR_STALE ... without I/O; what needs I/O is found out by the operation that uses it.
  virtual nfs::Status check_filehandle(Context&, std::span<const std::byte> fh) = 0;
  // PUTROOTFH and PUTPUBFH: call context.set_current().
  virtual nfs::Status put_root(Context&) = 0;

  // The path and fileid of the current filehandle, as far as they are known without I/O, for trace and fault rules.
  // Only asked when one of the two listens.
  virtual void describe_current(Context&, TraceFields&) {}

  // ---- clients ----
  // May this client be served at all? What is not is refused as a whole, by RPC (AUTH_TOOWEAK); only the reason counts.
  virtual nfs::Status admit(Context&) { return {}; }
  // The first CREATE_SESSION of a client: remember the record, and context.wait_durable() when it must survive.
  virtual nfs::Status client_confirmed(Context&, const session::Client&) { return {}; }
  // RECLAIM_COMPLETE; the flag in the client record is kept by the session table (and NFS4ERR_COMPLETE_ALREADY said).
  // one_fs: context.current is set.
  virtual nfs::Status reclaim_complete(Context&, bool one_fs) {
    (void)one_fs;
    return {};
  }
  // SEQ4_STATUS_* that only the role knows: state revoked, device ids changed, reclaim needed.
  virtual uint32_t sequence_flags(const session::Client&) { return 0; }

  // ---- replies ----
  // Awaited before a reply leaves whose context called wait_durable(). A failure replaces the results after SEQUENCE by
  // this status: what was claimed did not become true.
  virtual io::Task<nfs::Status> before_reply(Context& context) = 0;
  // before_reply() has nothing to wait for.
  virtual bool is_durable(uint64_t ticket) = 0;

  // Numbers all requests of this node, for the trace.
  uint64_t next_call() { return ++calls_; }

 private:
  uint64_t calls_ = 0;
};

}  // namespace pnfs::compound
