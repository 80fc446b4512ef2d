// Every pair (operation, error) that RFC 8881's table allows, injected by name and seen by the in-process client.
#include "common/compound/backchannel.hpp"
#include "common/compound/fault_points.hpp"
#include "common/fault/engine.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/valid_errors.hpp"
#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;
using client::Compound;
using client::ReplyPtr;

constexpr size_t kPairs = 1213;  // tests/golden/valid_errors.tsv

struct FaultPairs : ClusterTest {
  fault::Vocabulary vocabulary;
  ManualClock clock;
  std::unique_ptr<fault::Engine> engine;

  FaultPairs() {
    compound::add_nfs_points(vocabulary);
    engine = std::make_unique<fault::Engine>(vocabulary, clock, fault::Engine::Options{.node = "mds"});
  }
  void start_with_faults() {
    Options options;
    options.data_servers = 0;
    options.faults = engine.get();
    start(std::move(options), {.patience = std::chrono::seconds(0)});
  }

  // The operation with arguments of zeros, alone or behind SEQUENCE, as the RFC lets it stand.
  static std::shared_ptr<Compound> compound_of(const OpInfo& op, client::Session& session) {
    if (op.number == OP_SEQUENCE) {
      auto compound = Compound::bare();
      compound->add(OP_SEQUENCE, session.sequence_args(0));
      return compound;
    }
    Arena arena;
    void* args = arena.allocate(op.args->bytes);
    std::memset(args, 0, op.args->bytes);
    // The one operation for which zeros are no legal XDR: its union has no arm for CLAIM_NULL.
    if (op.number == OP_WANT_DELEGATION) static_cast<WANT_DELEGATION4args*>(args)->wda_claim.dc_claim = CLAIM_FH;
    xdr::Encoder out(arena);
    op.args->encode(out, args);
    const std::vector<std::byte> encoded = out.flatten();
    auto compound = op.number == OP_BIND_CONN_TO_SESSION ? Compound::bare() : Compound::in_session();
    compound->raw(op.number, encoded);
    return compound;
  }

  // What the client sees of the operation.
  std::optional<nfsstat4> answer(const OpInfo& op) {
    client::Session& session = fs->session();
    auto compound = compound_of(op, session);
    auto reply = run(compound->with_sequence() ? session.run(compound) : session.run_bare(compound));
    if (!reply) return std::nullopt;
    ReplyPtr& seen = *reply;
    if (compound->with_sequence()) EXPECT_EQ(seen->op_count(), 2u) << op.name;
    return seen->status();
  }
};

TEST_F(FaultPairs, OfOperations) {
  start_with_faults();
  ASSERT_FALSE(HasFatalFailure());
  size_t pairs = 0;
  for (const OpInfo& op : operations()) {
    for (const nfsstat4 status : valid_errors(op.name)) {
      const std::string rule = fmt::format("before {} do return {}", op.name, status_name(status));
      const auto id = engine->add(rule);
      ASSERT_TRUE(id) << rule << ": " << id.error().reason;
      const auto seen = answer(op);
      ASSERT_TRUE(seen) << rule;
      EXPECT_EQ(status_name(*seen), status_name(status)) << rule;
      EXPECT_EQ(engine->list().front().hits, 1u) << rule;
      const trace::OwnedEvent* event = cluster().trace().last("mds", op.name);
      ASSERT_NE(event, nullptr) << rule;
      EXPECT_EQ(event->fault, fmt::format("rule {}: {}", *id, rule));
      engine->clear();
      ++pairs;
    }
  }
  // The session has lived through all of it.
  ASSERT_DONE(run(fs->getattr("")));
  size_t of_callbacks = 0;
  for (const OpInfo& op : callbacks()) of_callbacks += valid_errors(op.name).size();
  EXPECT_EQ(pairs + of_callbacks, kPairs);
}

template <class Args>
compound::CallbackOps ops_of(nfs_cb_opnum4 op) {
  compound::CallbackOps ops;
  ops.add(op, Args{});
  return ops;
}
compound::CallbackOps callback_ops(uint32_t op) {
  switch (op) {
    case OP_CB_GETATTR:
      return ops_of<CB_GETATTR4args>(OP_CB_GETATTR);
    case OP_CB_RECALL:
      return ops_of<CB_RECALL4args>(OP_CB_RECALL);
    case OP_CB_LAYOUTRECALL:
      return ops_of<CB_LAYOUTRECALL4args>(OP_CB_LAYOUTRECALL);
    case OP_CB_NOTIFY:
      return ops_of<CB_NOTIFY4args>(OP_CB_NOTIFY);
    case OP_CB_PUSH_DELEG:
      return ops_of<CB_PUSH_DELEG4args>(OP_CB_PUSH_DELEG);
    case OP_CB_RECALLABLE_OBJ_AVAIL:
      return ops_of<CB_RECALLABLE_OBJ_AVAIL4args>(OP_CB_RECALLABLE_OBJ_AVAIL);
    case OP_CB_RECALL_SLOT:
      return ops_of<CB_RECALL_SLOT4args>(OP_CB_RECALL_SLOT);
    case OP_CB_WANTS_CANCELLED:
      return ops_of<CB_WANTS_CANCELLED4args>(OP_CB_WANTS_CANCELLED);
    case OP_CB_NOTIFY_LOCK:
      return ops_of<CB_NOTIFY_LOCK4args>(OP_CB_NOTIFY_LOCK);
    case OP_CB_NOTIFY_DEVICEID:
      return ops_of<CB_NOTIFY_DEVICEID4args>(OP_CB_NOTIFY_DEVICEID);
    case OP_CB_ILLEGAL:
      return ops_of<CB_ILLEGAL4args>(OP_CB_ILLEGAL);
    default:
      return ops_of<CB_RECALL_ANY4args>(OP_CB_RECALL_ANY);  // CB_SEQUENCE is in front of any
  }
}

TEST_F(FaultPairs, OfCallbacks) {
  start_with_faults();
  bool of_no_use = false;  // the back channel
  for (const OpInfo& op : callbacks()) {
    for (const nfsstat4 status : valid_errors(op.name)) {
      if (of_no_use) start_with_faults();
      of_no_use = op.number == OP_CB_SEQUENCE;
      ASSERT_FALSE(HasFatalFailure());
      const std::string rule = fmt::format("before {} do return {}", op.name, status_name(status));
      const auto id = engine->add(rule);
      ASSERT_TRUE(id) << rule << ": " << id.error().reason;
      auto answer = run(cluster().mds().backchannel().call(fs->session().clientid(), callback_ops(op.number)));
      EXPECT_GE(engine->list().front().hits, 1u) << rule;
      if (op.number == OP_CB_SEQUENCE) {
        // The server takes it for the client's answer.
        EXPECT_FALSE(answer) << rule;
        const trace::OwnedEvent* event = nullptr;
        for (const trace::OwnedEvent& e : cluster().trace().events())
          if (e.op == "CB_SEQUENCE") event = &e;
        ASSERT_NE(event, nullptr);
        EXPECT_EQ(event->status, status_name(status));
      } else {
        ASSERT_TRUE(answer) << rule << ": " << answer.error().reason;
        EXPECT_EQ(status_name(answer->status), status_name(status)) << rule;
      }
      engine->clear();
    }
  }
}

}  // namespace
}  // namespace pnfs::cluster
