// One metadata server: everything between its RPC server and its volume. main.cpp runs one in a process, the in-process
// cluster several on virtual time.
//
// Ownership: Mds owns its tables, its volume and every coroutine it spawns; the seams are the caller's and outlive it.
// Threading: the executor's thread only. Life: construct, start() once, stop() once (also after a failed start),
// destroy.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/io/task.hpp"
#include "common/nfs/file_handle.hpp"
#include "mds/options.hpp"
#include "mds/pnfs.hpp"
#include "mds/state/state_table.hpp"

namespace pnfs::rpc {
class Server;
class Observer;
}  // namespace pnfs::rpc
namespace pnfs::volume {
class Volume;
class Catalog;
class DataIo;
}  // namespace pnfs::volume
namespace pnfs::session {
class SessionTable;
}

namespace pnfs::mds {

class Namespace;
class Grace;

class Mds {
 public:
  Mds(Options options, const Seams& seams);
  ~Mds();
  Mds(const Mds&) = delete;
  Mds& operator=(const Mds&) = delete;

  // Mounts the volume, restores what clients may reclaim, serves its listeners. Errors are sentences for people: volume
  // in use, not a volume, port in use.
  io::Task<Result<void>> start();
  // Stops serving, ends what runs, closes the volume (or leaves it as a crash would).
  enum class How { clean, crash };
  io::Task<void> stop(How how = How::clean);

  const Options& options() const { return options_; }
  const Seams& seams() const { return seams_; }
  rpc::Server& server();
  volume::Volume& volume();
  volume::Catalog& catalog();
  volume::DataIo& data_io();
  session::SessionTable& sessions();
  state::StateTable& state() { return *state_; }
  Namespace& names() { return *names_; }
  Grace& grace() { return *grace_; }
  Pnfs& pnfs() { return *pnfs_; }

  // The handle of a file on the volume that is served (kind mds; .as(HandleKind::ds) for a layout).
  nfs::FileHandle handle_of(state::FileId file, uint64_t generation) const;
  uint64_t volume_id() const { return volume_id_; }
  // Identity (design, Identity): from volume UUID and node name, the same after every restart.
  const std::string& server_major_id() const { return major_id_; }
  const std::string& server_scope() const { return scope_; }
  // verifier4 of WRITE and COMMIT at the MDS, and of data servers under COMMIT_THRU_MDS.
  nfs::verifier4 write_verifier() const;

  // The client is gone for good (lease expired and somebody conflicts, or an administrator says so): sessions, state
  // and layouts go with it.
  void expire_client(state::clientid4 client);
  // The lease has run out; its state only lives on by courtesy (RFC 8881 8.4.3).
  bool is_courtesy(state::clientid4 client) const;

 private:
  struct Parts;
  Options options_;
  Seams seams_;
  uint64_t volume_id_ = 0;
  std::string major_id_;
  std::string scope_;
  std::unique_ptr<state::StateTable> state_;
  std::unique_ptr<Namespace> names_;
  std::unique_ptr<Grace> grace_;
  std::unique_ptr<Pnfs> pnfs_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace pnfs::mds
