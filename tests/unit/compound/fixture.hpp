// A role with little behind it, served over the memory network, and a client that says what it is told to.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/compound/backchannel.hpp"
#include "common/compound/nfs_service.hpp"
#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/rpc/client.hpp"
#include "common/rpc/server.hpp"

namespace pnfs::compound::testing {

using namespace std::chrono_literals;
namespace asio = io::asio;

struct TestRole;
struct TestContext : Context {
  TestContext(rpc::Request& request, TestRole& role);
  TestRole& test;
};

// ACCESS counts how often it ran; READ sleeps `offset` milliseconds and returns `count` bytes; COMMIT throws; RENAME
// waits for durability; SETATTR fails with the attributes it has set.
nfs::Status op_access(TestContext&, const nfs::ACCESS4args&, nfs::ACCESS4res&);
io::Task<nfs::Status> op_read(TestContext&, const nfs::READ4args&, nfs::READ4res&);
io::Task<nfs::Status> op_commit(TestContext&, const nfs::COMMIT4args&, nfs::COMMIT4res&);
nfs::Status op_rename(TestContext&, const nfs::RENAME4args&, nfs::RENAME4res&);

struct Scripted final : fault::Injector {
  std::function<fault::Verdict(fault::Context&)> script;
  void listen(fault::Stage stage) { places_ |= 1u << static_cast<unsigned>(stage); }
  fault::Verdict consult(fault::Context& context) override { return script(context); }
};

struct TestRole : Role {
  explicit TestRole(io::Simulation& simulation)
      : simulation(simulation), sink("mds", simulation.clock()), table(session::Config{}, *this) {
    add_shared_ops(operations);
    operations.op<nfs::OP_ACCESS, op_access>();
    operations.op<nfs::OP_READ, op_read>();
    operations.op<nfs::OP_COMMIT, op_commit>();
    operations.op<nfs::OP_RENAME, op_rename>();
    who.major_id = "major";
    who.scope = "scope";
    who.pnfs_flags = nfs::EXCHGID4_FLAG_USE_PNFS_MDS;
    who.impl_domain = "example.org";
    who.impl_name = "test";
  }
  std::string_view node() const override { return "mds"; }
  const OpTableBase& ops() const override { return operations; }
  session::SessionTable& sessions() override { return table; }
  const Identity& identity() const override { return who; }
  io::TimerQueue& timers() override { return simulation.timers(); }
  trace::Sink& trace() override { return sink; }
  fault::Injector& faults() override { return injector; }
  nfs::Status check_filehandle(Context&, std::span<const std::byte> fh) override {
    if (fh.size() == 4) return {};
    return nfs::fail(nfs::NFS4ERR_BADHANDLE, "18.19", "handles have 4 bytes here");
  }
  nfs::Status put_root(Context& context) override {
    context.set_current(std::as_bytes(std::span("root", 4)));
    return {};
  }
  io::Task<nfs::Status> before_reply(Context& context) override {
    waited_for = context.durable_ticket();
    co_await simulation.timers().sleep(5ms);
    co_return durable;
  }
  bool is_durable(uint64_t) override { return false; }
  void session_removed(const session::Session& session) override {
    if (backchannel) backchannel->session_removed(session.id());
  }

  io::Simulation& simulation;
  trace::MemorySink sink;
  Scripted injector;
  OpTable<TestContext> operations;
  Identity who;
  session::SessionTable table;
  std::unique_ptr<Backchannel> backchannel;
  int accesses = 0;
  uint64_t waited_for = 0;
  nfs::Status durable;
};

// The operations of one COMPOUND, encoded.
class Ops {
 public:
  template <class Args>
  Ops& add(uint32_t op, const Args& args) {
    encoder_.u32(op);
    xdr::encode(encoder_, args);
    ++count;
    return *this;
  }
  Ops& add(uint32_t op) {
    encoder_.u32(op);
    ++count;
    return *this;
  }
  Ops& word(uint32_t value) {
    encoder_.u32(value);
    return *this;
  }
  std::vector<std::byte> bytes() { return encoder_.flatten(); }

  std::string tag;
  uint32_t minorversion = 1;
  uint32_t count = 0;

 private:
  Arena arena_;
  xdr::Encoder encoder_{arena_};
};

struct Answer {
  std::optional<Errc> failed;  // no COMPOUND4res came
  nfs::nfsstat4 status = nfs::NFS4_OK;
  std::string tag;
  std::vector<std::pair<uint32_t, nfs::nfsstat4>> results;
  std::vector<std::byte> bytes;  // all of COMPOUND4res
  std::shared_ptr<rpc::Reply> reply;

  // The decoded result number i.
  template <class Res>
  Res result(size_t i) {
    Res value{};
    xdr::Decoder in(bytes, arena);
    nfs::CompoundResHead head;
    xdr::decode(in, head);
    for (size_t k = 0; k <= i; ++k) {
      uint32_t op = 0;
      in.u32(op);
      if (k == i) {
        xdr::decode(in, value);
      } else {
        const nfs::OpInfo* info = nfs::find_op(op);
        void* skipped = arena.allocate(info->res->bytes);
        std::memset(skipped, 0, info->res->bytes);
        info->res->decode(in, skipped);
      }
    }
    return value;
  }
  Arena arena;
};

class CompoundTest : public ::testing::Test {
 protected:
  using Connection = std::shared_ptr<rpc::Connection>;

  void SetUp() override;
  void TearDown() override;

  Connection connect();
  Answer send(Ops& ops, Connection over = nullptr, rpc::Credential credential = rpc::Credential::sys(0, 0));
  io::Task<Answer> send_task(std::vector<std::byte> bytes, std::string tag, uint32_t minorversion, uint32_t count,
                             Connection over, rpc::Credential credential);

  // EXCHANGE_ID and CREATE_SESSION; the session is then in `session`.
  Answer exchange(std::string_view owner = "client", uint32_t flags = 0);
  void open_session(nfs::channel_attrs4 fore = kAttrs, uint32_t flags = 0, std::string_view owner = "client");
  // SEQUENCE with the next number of slot 0.
  Ops& sequenced(Ops& ops, bool cache_this = true);
  const trace::OwnedEvent& last_event() { return role->sink.events().back(); }

  static constexpr nfs::channel_attrs4 kAttrs{0, 8192, 8192, 4096, 16, 4, {}};
  static constexpr uint32_t kCallbackProgram = 0x40000000;

  io::Simulation simulation;
  io::MemoryNetwork network{simulation.timers(), simulation.random()};
  io::Network& server_net = network.add_node("server", {io::asio::ip::make_address("10.0.0.1")});
  io::Network& client_net = network.add_node("client", {io::asio::ip::make_address("10.0.0.2")});
  std::unique_ptr<TestRole> role;
  std::unique_ptr<NfsService<TestContext, TestRole>> service;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<rpc::Client> client;
  Connection connection;
  session::ClientId clientid = 0;
  session::SessionId session;
  nfs::CREATE_SESSION4resok created;
  uint32_t sequence = 0;
};

}  // namespace pnfs::compound::testing
