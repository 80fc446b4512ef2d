// One metadata server: everything between its RPC server and its volume. main.cpp runs one in a process, the in-process
// cluster several on virtual time.
//
// Ownership: Mds owns its tables, its volume and every coroutine it spawns; the seams are the caller's and outlive it.
// Threading: the executor's thread only. Life: construct, start() once, stop() once (also after a failed start),
// destroy.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "common/base/result.hpp"
#include "common/compound/role.hpp"
#include "common/io/task_group.hpp"
#include "common/nfs/file_handle.hpp"
#include "mds/options.hpp"
#include "mds/pnfs.hpp"
#include "mds/state/grace.hpp"
#include "mds/state/state_table.hpp"

namespace pnfs::rpc {
class Server;
class Service;
}  // namespace pnfs::rpc
namespace pnfs::volume {
class Volume;
class Catalog;
class DataIo;
}  // namespace pnfs::volume
namespace pnfs::compound {
class Backchannel;
}

namespace pnfs::mds {

class Namespace;
class FileIo;
class Reaper;
struct FilesystemFacts;

class Mds final : public compound::Role {
 public:
  Mds(Options options, const Seams& seams);
  ~Mds() override;
  Mds(const Mds&) = delete;
  Mds& operator=(const Mds&) = delete;

  // Mounts the volume, restores what clients may reclaim, serves its listeners. Errors are sentences for people: volume
  // in use, not a volume, port in use.
  io::Task<Result<void>> start();
  // Stops serving, ends what runs, closes the volume (or leaves it as a crash would).
  enum class How { clean, crash };
  io::Task<Result<void>> stop(How how = How::clean);
  // The volume can no longer be trusted: called once, from inside its writer. The server must be stopped.
  void on_failure(std::function<void(const Error&)> action) { failed_ = std::move(action); }

  const Options& options() const { return options_; }
  const Seams& seams() const { return seams_; }
  rpc::Server& server() { return *server_; }
  volume::Volume& volume() { return *volume_; }
  volume::Catalog& catalog();
  volume::DataIo& data_io() { return *data_io_; }
  session::SessionTable& sessions() override { return *sessions_; }
  compound::Backchannel& backchannel() { return *backchannel_; }
  state::StateTable& state() { return *state_; }
  Namespace& names() { return *names_; }
  FileIo& file_io() { return *file_io_; }
  state::Grace& grace() { return grace_; }
  // Also ends it when its time is up, so that nobody gets new state while lost reclaim rights are still recorded.
  bool in_grace();
  Pnfs& pnfs() { return *pnfs_; }
  const FilesystemFacts& facts() const { return *facts_; }
  // Background work of the server's own; stopped and joined by stop().
  io::TaskGroup& tasks() { return tasks_; }

  // The handle of a file on the volume that is served (kind mds; .as(HandleKind::ds) for a layout).
  nfs::FileHandle handle_of(state::FileId file, uint64_t generation) const {
    return {nfs::HandleKind::mds, volume_id_, file, static_cast<uint32_t>(generation)};
  }
  uint64_t volume_id() const { return volume_id_; }
  // Identity (design, Identity): from volume UUID and node name, the same after every restart.
  const std::string& server_major_id() const { return identity_.major_id; }
  const std::string& server_scope() const { return identity_.scope; }
  // verifier4 of WRITE and COMMIT at the MDS, and of data servers under COMMIT_THRU_MDS: what the volume's write epoch
  // and this server's start are now.
  nfs::verifier4 write_verifier() const;

  // The client is gone for good (lease expired and somebody conflicts, or an administrator says so): sessions, state
  // and layouts go with it.
  void expire_client(state::clientid4 client);
  // The lease has run out; its state only lives on by courtesy (RFC 8881 8.4.3).
  bool is_courtesy(state::clientid4 client) const;
  // Expires those of `clients` that live by courtesy; true when there was one, so that trying again makes sense.
  bool expire_courtesy(std::span<const state::clientid4> clients);
  // A file nobody may need any more: removed, and its last open or delegation has just gone.
  void maybe_reap(state::FileId file);
  // Sends CB_RECALL for each, in the background.
  void send_recalls(std::vector<state::StateTable::Recall> recalls);
  // Every session shall do with so many slots (those of CREATE_SESSION at most, from 1): its next SEQUENCE says so, and
  // CB_RECALL_SLOT at once.
  void recall_slots(uint32_t count);
  // Lock waiters of the file that might succeed now are told (CB_NOTIFY_LOCK).
  void send_lock_hints(state::FileId file);

  // ---- compound::Role
  std::string_view node() const override { return options_.node; }
  const compound::OpTableBase& ops() const override;
  const compound::Identity& identity() const override { return identity_; }
  io::TimerQueue& timers() override { return seams_.timers; }
  trace::Sink& trace() override;
  // State that ended without an operation, in the trace; `fileid` 0: all of the client's.
  void tell_ended(std::string_view op, session::ClientId client, uint64_t fileid, std::string_view stateid,
                  std::string_view reason);
  fault::Injector& faults() override;
  nfs::Status admit(compound::Context& context) override;
  nfs::Status check_filehandle(compound::Context& context, std::span<const std::byte> fh) override;
  nfs::Status put_root(compound::Context& context) override;
  void describe_current(compound::Context& context, compound::TraceFields& fields) override;
  nfs::Status client_confirmed(compound::Context& context, const session::Client& client) override;
  nfs::Status reclaim_complete(compound::Context& context, bool one_fs) override;
  uint32_t sequence_flags(const session::Client& client) override;
  io::Task<nfs::Status> before_reply(compound::Context& context) override;
  bool is_durable(uint64_t ticket) override;
  // session::Owner
  bool has_state(session::ClientId client) const override;
  void client_removed(session::ClientId client, session::Removed why) override;
  void session_removed(const session::Session& session) override;

 private:
  Result<void> restore_clients();
  void make_identity();
  void end_grace_if_over();
  void sweep_leases();
  void revoke_overdue();
  void balance_slots();
  void tell_targets(const std::vector<session::SessionId>& changed);
  io::Task<void> tick();

  struct Silent;  // sinks for seams that were not given
  Options options_;
  Seams seams_;
  std::unique_ptr<Silent> silent_;
  uint64_t volume_id_ = 0;
  compound::Identity identity_;
  std::function<void(const Error&)> failed_;
  std::unordered_map<session::ClientId, std::string> recorded_;  // owners of the clients in the catalog
  state::Grace grace_;
  uint64_t epoch_base_ = 0;  // of the store, when the volume's write epoch was last raised
  bool raising_epoch_ = false;

  io::TaskGroup tasks_;
  std::unique_ptr<volume::Volume> volume_;
  std::unique_ptr<volume::DataIo> data_io_;
  std::unique_ptr<session::SessionTable> sessions_;
  std::unique_ptr<state::StateTable> state_;
  std::unique_ptr<Namespace> names_;
  std::unique_ptr<FileIo> file_io_;
  std::unique_ptr<Reaper> reaper_;
  std::unique_ptr<FilesystemFacts> facts_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<compound::Backchannel> backchannel_;
  std::unique_ptr<Pnfs> pnfs_;
  std::unique_ptr<rpc::Service> service_;
};

}  // namespace pnfs::mds
