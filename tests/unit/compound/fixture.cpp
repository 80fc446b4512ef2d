#include "tests/unit/compound/fixture.hpp"

namespace pnfs::compound::testing {

TestContext::TestContext(rpc::Request& request, TestRole& role) : Context(request, role), test(role) {}

nfs::Status op_access(TestContext& context, const nfs::ACCESS4args& args, nfs::ACCESS4res& res) {
  if (nfs::Status status = context.require_current(); !status) return status;
  res.resok4 = {args.access, args.access};
  ++context.test.accesses;
  return {};
}

io::Task<nfs::Status> op_read(TestContext& context, const nfs::READ4args& args, nfs::READ4res& res) {
  co_await context.test.timers().sleep(std::chrono::milliseconds(args.offset));
  res.resok4.data.bytes = context.arena().make_array<std::byte>(args.count);
  co_return nfs::Status{};
}

io::Task<nfs::Status> op_commit(TestContext&, const nfs::COMMIT4args&, nfs::COMMIT4res&) {
  throw std::runtime_error("a bug");
  co_return nfs::Status{};
}

nfs::Status op_rename(TestContext& context, const nfs::RENAME4args&, nfs::RENAME4res&) {
  context.wait_durable(7);
  context.wait_durable(3);
  return {};
}

void CompoundTest::SetUp() {
  role = std::make_unique<TestRole>(simulation);
  service = std::make_unique<NfsService<TestContext, TestRole>>(*role);
  server = std::make_unique<rpc::Server>(server_net, simulation.timers());
  server->add_service(*service);
  ASSERT_TRUE(server->listen(*io::parse_endpoint("10.0.0.1:2049")));
  client = std::make_unique<rpc::Client>(client_net, simulation.timers());
  connection = connect();
}

void CompoundTest::TearDown() {
  connection.reset();
  if (client) simulation.run(client->stop());
  if (server) simulation.run(server->stop());
}

CompoundTest::Connection CompoundTest::connect() {
  auto made = simulation.run(client->connect(*io::parse_endpoint("10.0.0.1:2049"), 5s));
  return made ? *made : nullptr;
}

io::Task<Answer> CompoundTest::send_task(std::vector<std::byte> bytes, std::string tag, uint32_t minorversion,
                                         uint32_t count, Connection over, rpc::Credential credential) {
  auto call = std::make_unique<rpc::Call>(nfs::NFS4_PROGRAM, nfs::NFS_V4, nfs::NFSPROC4_COMPOUND, credential);
  xdr::encode(call->args(), nfs::CompoundArgsHead{{tag}, minorversion, count});
  call->args().raw(bytes);
  Answer answer;
  auto reply = co_await over->call(std::move(call), 20s);
  if (!reply) {
    answer.failed = reply.error().code;
    co_return answer;
  }
  answer.reply = std::move(*reply);
  xdr::Decoder& in = answer.reply->results();
  const auto rest = in.rest();
  answer.bytes.assign(rest.begin(), rest.end());
  nfs::CompoundResHead head;
  EXPECT_TRUE(xdr::decode(in, head));
  answer.status = head.status;
  answer.tag = std::string(head.tag.text);
  for (uint32_t i = 0; i < head.resarray_count; ++i) {
    uint32_t op = 0;
    EXPECT_TRUE(in.u32(op));
    const nfs::OpInfo* info = nfs::find_op(op);
    EXPECT_NE(info, nullptr) << op;
    if (info == nullptr) break;
    void* result = answer.reply->arena().allocate(info->res->bytes);
    std::memset(result, 0, info->res->bytes);
    EXPECT_TRUE(info->res->decode(in, result)) << info->name << ": " << in.problem();
    answer.results.emplace_back(op, nfs::OpInfo::status_of(result));
  }
  EXPECT_EQ(in.left(), 0u) << "bytes after the last result";
  if (!answer.results.empty()) {
    EXPECT_EQ(answer.results.back().second, answer.status);
  }
  co_return answer;
}

Answer CompoundTest::send(Ops& ops, Connection over, rpc::Credential credential) {
  return simulation.run(
      send_task(ops.bytes(), ops.tag, ops.minorversion, ops.count, over ? over : connection, credential));
}

Answer CompoundTest::exchange(std::string_view owner, uint32_t flags) {
  nfs::EXCHANGE_ID4args args;
  args.eia_clientowner.co_ownerid.bytes = std::as_bytes(std::span(owner));
  args.eia_flags = flags;
  Ops ops;
  Answer answer = send(ops.add(nfs::OP_EXCHANGE_ID, args));
  if (answer.status == nfs::NFS4_OK) clientid = answer.result<nfs::EXCHANGE_ID4res>(0).eir_resok4.eir_clientid;
  return answer;
}

void CompoundTest::open_session(nfs::channel_attrs4 fore, uint32_t flags, std::string_view owner) {
  const uint32_t next = exchange(owner).result<nfs::EXCHANGE_ID4res>(0).eir_resok4.eir_sequenceid;
  nfs::CREATE_SESSION4args args;
  args.csa_clientid = clientid;
  args.csa_sequence = next;
  args.csa_flags = flags;
  args.csa_fore_chan_attrs = fore;
  args.csa_back_chan_attrs = kAttrs;
  args.csa_cb_program = kCallbackProgram;
  Ops ops;
  Answer answer = send(ops.add(nfs::OP_CREATE_SESSION, args));
  ASSERT_EQ(answer.status, nfs::NFS4_OK) << last_event().reason;
  created = answer.result<nfs::CREATE_SESSION4res>(0).csr_resok4;
  session = created.csr_sessionid;
  sequence = 0;
}

Ops& CompoundTest::sequenced(Ops& ops, bool cache_this) {
  return ops.add(nfs::OP_SEQUENCE, nfs::SEQUENCE4args{session, ++sequence, 0, 0, cache_this});
}

}  // namespace pnfs::compound::testing
