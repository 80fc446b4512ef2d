// How a session comes to be and ends (RFC 8881 2.10.2.1, 18.34, 18.35, 18.36).
#include "testbed/client/session.hpp"

namespace pnfs::client {

using namespace nfs;

namespace {
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
}  // namespace

io::Task<Outcome<>> Session::connect() {
  // One attempt at a time; the others wait for it.
  while (connecting_) co_await connected_.wait();
  if (connection_ && !connection_->closed()) co_return Outcome<>{};
  connecting_ = true;
  struct Done {
    Session& session;
    ~Done() {
      session.connecting_ = false;
      session.connected_.notify_all();
    }
  } done{*this};
  auto connection = co_await rpc_.connect(setup_.server, setup_.connect_timeout);
  if (!connection) co_return Failure{.transport = connection.error()};
  connection_ = std::move(*connection);
  co_return Outcome<>{};
}

io::Task<Outcome<>> Session::reconnect() {
  const bool had = connection_ && !connection_->closed();
  auto connected = co_await connect();
  if (!connected) co_return connected.error();
  if (had || !back_channel_) co_return Outcome<>{};
  auto compound = Compound::bare();
  BIND_CONN_TO_SESSION4args args;
  args.bctsa_sessid = sessionid_;
  args.bctsa_dir = CDFC4_FORE_OR_BOTH;
  compound->add(OP_BIND_CONN_TO_SESSION, args);
  auto reply = co_await attempt(compound);
  if (!reply) co_return reply.error();
  (*reply)->get<BIND_CONN_TO_SESSION4res>(OP_BIND_CONN_TO_SESSION);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return Outcome<>{};
}

io::Task<Outcome<>> Session::establish() {
  auto connected = co_await connect();
  if (!connected) co_return connected.error();
  // A client id that the server still knows is kept: its state lives on.
  if (clientid_ != 0) {
    auto created = co_await create_session();
    if (created || !created.error().is(NFS4ERR_STALE_CLIENTID)) co_return created;
  }
  auto exchanged = co_await exchange_id();
  if (!exchanged) co_return exchanged.error();
  co_return co_await create_session();
}

io::Task<Outcome<>> Session::exchange_id() {
  auto compound = Compound::bare();
  nfs_impl_id4 impl;
  impl.nii_domain.text = "pnfslab.example";
  impl.nii_name.text = "pnfslab built-in client";
  EXCHANGE_ID4args args;
  args.eia_clientowner.co_verifier = setup_.verifier;
  args.eia_clientowner.co_ownerid.bytes = std::as_bytes(std::span(setup_.owner));
  args.eia_flags = setup_.exchange_flags;
  args.eia_client_impl_id.items = std::span(&impl, 1);
  compound->add(OP_EXCHANGE_ID, args);
  auto reply = co_await attempt(compound);
  if (!reply) co_return reply.error();
  const auto& res = (*reply)->get<EXCHANGE_ID4res>(OP_EXCHANGE_ID).eir_resok4;
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  if (clientid_ != res.eir_clientid) ++establishments_;
  clientid_ = res.eir_clientid;
  create_sequence_ = res.eir_sequenceid;
  eir_flags_ = res.eir_flags;
  server_major_id_ = text_of(res.eir_server_owner.so_major_id.bytes);
  server_minor_id_ = res.eir_server_owner.so_minor_id;
  server_scope_ = text_of(res.eir_server_scope.bytes);
  co_return Outcome<>{};
}

io::Task<Outcome<>> Session::create_session() {
  auto compound = Compound::bare();
  callback_sec_parms4 security;
  security.cb_secflavor = kFlavorSys;
  security.cbsp_sys_cred.machinename.text = "pnfslab";
  CREATE_SESSION4args args;
  args.csa_clientid = clientid_;
  args.csa_sequence = create_sequence_;
  if (setup_.callback_program != 0) args.csa_flags = CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
  args.csa_fore_chan_attrs.ca_maxrequestsize = setup_.max_request_bytes;
  args.csa_fore_chan_attrs.ca_maxresponsesize = setup_.max_response_bytes;
  args.csa_fore_chan_attrs.ca_maxresponsesize_cached = 4096;
  args.csa_fore_chan_attrs.ca_maxoperations = 16;
  args.csa_fore_chan_attrs.ca_maxrequests = setup_.slots;
  args.csa_back_chan_attrs.ca_maxrequestsize = 4096;
  args.csa_back_chan_attrs.ca_maxresponsesize = 4096;
  args.csa_back_chan_attrs.ca_maxoperations = 4;
  args.csa_back_chan_attrs.ca_maxrequests = 4;
  args.csa_cb_program = setup_.callback_program;
  args.csa_sec_parms.items = std::span(&security, 1);
  compound->add(OP_CREATE_SESSION, args);
  auto reply = co_await attempt(compound);
  if (!reply) co_return reply.error();
  const auto& res = (*reply)->get<CREATE_SESSION4res>(OP_CREATE_SESSION).csr_resok4;
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  ++create_sequence_;
  sessionid_ = res.csr_sessionid;
  fore_ = res.csr_fore_chan_attrs;
  fore_.ca_rdma_ird = {};  // a view into the reply
  back_channel_ = (res.csr_flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN) != 0;
  const size_t count = std::clamp<size_t>(fore_.ca_maxrequests, 1, setup_.slots);
  const auto old = std::move(slots_);
  slots_.assign(count, {});
  for (size_t i = 0; i < std::min(count, old.size()); ++i) slots_[i].busy = old[i].busy;  // they release themselves
  slot_free_.notify_all();
  co_return Outcome<>{};
}

io::Task<Outcome<>> Session::destroy() {
  if (connection_ && !connection_->closed() && clientid_ != 0) {
    auto compound = Compound::bare();
    compound->add(OP_DESTROY_SESSION, DESTROY_SESSION4args{sessionid_});
    auto reply = co_await attempt(compound);
    if (!reply) co_return reply.error();
    (*reply)->ok(OP_DESTROY_SESSION);
    if (const auto& failure = (*reply)->failure()) co_return *failure;
    auto last = Compound::bare();
    last->add(OP_DESTROY_CLIENTID, DESTROY_CLIENTID4args{clientid_});
    reply = co_await attempt(last);
    if (!reply) co_return reply.error();
    (*reply)->ok(OP_DESTROY_CLIENTID);
    if (const auto& failure = (*reply)->failure()) co_return *failure;
    clientid_ = 0;
  }
  disconnect("the session is over");
  co_return Outcome<>{};
}

void Session::disconnect(std::string_view reason) {
  if (connection_) connection_->close(reason);
}

}  // namespace pnfs::client
