#include "testbed/client/callback_service.hpp"

#include <gtest/gtest.h>

#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/rpc/client.hpp"
#include "common/rpc/server.hpp"

namespace pnfs::client {
namespace {

using namespace nfs;
using namespace std::chrono_literals;

struct Handler final : CallbackHandler {
  io::Task<nfsstat4> callback(nfs_cb_opnum4, const void* args, void*) override {
    ++calls;
    truncate = static_cast<const CB_RECALL4args*>(args)->truncate;
    co_return NFS4ERR_BAD_STATEID;
  }
  int calls = 0;
  bool truncate = false;
};

struct CallbackServiceTest : ::testing::Test {
  io::Simulation sim;
  io::MemoryNetwork net{sim.timers(), sim.random()};
  io::Endpoint at = *io::parse_endpoint("10.0.0.2:700");
  io::Network& near = net.add_node("a", {io::parse_endpoint("10.0.0.1:0")->address()});
  io::Network& far = net.add_node("b", {at.address()});
  Handler handler;
  CallbackService service{&handler};
  rpc::Server server{far, sim.timers()};
  rpc::Client client{near, sim.timers()};
  std::shared_ptr<rpc::Connection> connection;
  sessionid4 id{{std::byte{9}}};

  void SetUp() override {
    server.add_service(service);
    ASSERT_TRUE(server.listen(at));
    connection = *sim.run(client.connect(at, 1s));
    service.add_session(id);
  }
  void TearDown() override {
    sim.run(client.stop());
    sim.run(server.stop());
  }

  struct Answer {
    nfsstat4 status = NFS4_OK;
    uint32_t count = 0;
  };
  Answer send(uint32_t sequence, uint32_t slot = 0, bool with_sequence = true, uint32_t minorversion = 1) {
    auto call = std::make_unique<rpc::Call>(CallbackService::kProgram, NFS_CB, CB_COMPOUND, rpc::Credential{});
    CbCompoundArgsHead head;
    head.minorversion = minorversion;
    head.argarray_count = with_sequence ? 2 : 1;
    xdr::encode(call->args(), head);
    if (with_sequence) {
      call->args().u32(OP_CB_SEQUENCE);
      xdr::encode(call->args(), CB_SEQUENCE4args{id, sequence, slot, 0, false, {}});
    }
    call->args().u32(OP_CB_RECALL);
    CB_RECALL4args args;
    args.truncate = true;
    xdr::encode(call->args(), args);
    auto reply = sim.run(connection->call(std::move(call), 5s));
    CompoundResHead res;
    EXPECT_TRUE(reply && xdr::decode((*reply)->results(), res));
    return {res.status, res.resarray_count};
  }
};

TEST_F(CallbackServiceTest, RunsTheHandlerAndPassesItsStatusOn) {
  const Answer answer = send(1);
  EXPECT_EQ(answer.status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(answer.count, 2u);
  EXPECT_TRUE(handler.truncate);
  ASSERT_EQ(service.seen().size(), 2u);
  EXPECT_EQ(service.seen()[1].op, OP_CB_RECALL);
}

TEST_F(CallbackServiceTest, ARetryIsAnsweredFromTheCache) {
  send(1);
  EXPECT_EQ(send(1).status, NFS4ERR_BAD_STATEID);
  EXPECT_EQ(handler.calls, 1);
  EXPECT_EQ(service.replays(), 1u);
  send(2);
  EXPECT_EQ(handler.calls, 2);
}

TEST_F(CallbackServiceTest, RefusesWhatIsOutOfOrder) {
  EXPECT_EQ(send(2).status, NFS4ERR_SEQ_MISORDERED);
  EXPECT_EQ(send(1, CallbackService::kSlots).status, NFS4ERR_BADSLOT);
  EXPECT_EQ(send(1, 0, false).status, NFS4ERR_OP_NOT_IN_SESSION);
  EXPECT_EQ(send(1, 0, true, 2).status, NFS4ERR_MINOR_VERS_MISMATCH);
  id.bytes[0] = std::byte{1};
  EXPECT_EQ(send(1).status, NFS4ERR_BADSESSION);
  EXPECT_EQ(handler.calls, 0);
}

}  // namespace
}  // namespace pnfs::client
