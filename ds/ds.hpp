// One data server: NFSv4.1 sessions of its own, READ, WRITE and COMMIT straight to the shared volume through extents
// that the MDS granted (RFC 8881 13; design, A DS learns extents by grant). main.cpp runs one in a process, the
// in-process cluster several on virtual time.
//
// Ownership: Ds owns its tables and every coroutine it spawns; the seams are the caller's and outlive it.
// Threading: the executor's thread only. Life: construct, start() once, stop() once (also after a failed start),
// destroy.
#pragma once

#include <memory>

#include "common/compound/context.hpp"
#include "common/compound/nfs_service.hpp"
#include "common/compound/op_table.hpp"
#include "common/compound/role.hpp"
#include "common/nfs/file_handle.hpp"
#include "common/rpc/buffer_pool.hpp"
#include "common/rpc/server.hpp"
#include "common/session/session_table.hpp"
#include "common/trace/sink.hpp"
#include "common/volume/data_io.hpp"
#include "ds/mds_link.hpp"
#include "ds/options.hpp"

namespace pnfs::ds {

class Ds;

struct DsContext : compound::Context {
  DsContext(rpc::Request& request, Ds& server);
  Ds& ds;
};

class Ds final : public compound::Role {
 public:
  Ds(Options options, const Seams& seams);
  ~Ds() override;

  // Joins the cluster, then serves its listeners. Errors are sentences for people: no volume, no MDS, port in use.
  io::Task<Result<void>> start();
  enum class How { clean, crash };
  io::Task<void> stop(How how = How::clean);

  const Options& options() const { return options_; }
  const Seams& seams() const { return seams_; }
  rpc::Server& server() { return server_; }
  MdsLink& link() { return link_; }
  volume::DataIo& data_io() { return data_io_; }
  rpc::BufferPool& buffers() { return *buffers_; }
  uint64_t volume_id() const { return volume_id_; }

  // ---- compound::Role
  std::string_view node() const override { return options_.node; }
  const compound::OpTableBase& ops() const override { return ops_; }
  session::SessionTable& sessions() override { return *sessions_; }
  io::TimerQueue& timers() override { return seams_.timers; }
  trace::Sink& trace() override { return *trace_; }
  fault::Injector& faults() override { return *faults_; }
  const compound::Identity& identity() const override { return identity_; }
  nfs::Status check_filehandle(compound::Context& context, std::span<const std::byte> fh) override;
  nfs::Status put_root(compound::Context& context) override;
  io::Task<nfs::Status> before_reply(compound::Context& context) override;
  bool is_durable(uint64_t) override { return true; }
  void client_removed(session::ClientId client, session::Removed why) override;

 private:
  io::Task<Result<void>> identify();
  io::Task<void> sweep_clients();
  void build_ops();

  Options options_;
  Seams seams_;
  trace::NullSink no_trace_;
  fault::NoFaults no_faults_;
  trace::Sink* trace_;
  fault::Injector* faults_;
  compound::Identity identity_;
  uint64_t volume_id_ = 0;
  uint32_t boot_ = 0;
  compound::OpTable<DsContext> ops_;
  std::unique_ptr<session::SessionTable> sessions_;
  std::shared_ptr<rpc::BufferPool> buffers_;
  volume::DataIo data_io_;
  MdsLink link_;
  rpc::Server server_;
  compound::NfsService<DsContext, Ds> service_;
  io::TaskGroup tasks_;
};

}  // namespace pnfs::ds
