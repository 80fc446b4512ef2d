// Mounting, running compounds with patience, recovery.
#include "testbed/client/file_system.hpp"

namespace pnfs::client {

using namespace nfs;

FileSystem::FileSystem(io::Network& network, io::TimerQueue& timers, Random& random, Options options)
    : timers_(timers),
      options_(std::move(options)),
      callback_service_(this),
      rpc_(network, timers),
      tasks_(timers.executor()),
      connected_(timers.executor()),
      layout_idle_(timers.executor()),
      recovered_(timers.executor()) {
  random.fill(verifier_.bytes);
  rpc_.add_service(callback_service_);
}

FileSystem::~FileSystem() = default;

SessionSetup FileSystem::setup_for(io::Endpoint server, bool data_server) const {
  SessionSetup setup;
  setup.server = server;
  setup.owner = options_.owner;
  setup.verifier = verifier_;
  setup.exchange_flags = data_server ? EXCHGID4_FLAG_USE_PNFS_DS : 0;
  setup.credential = rpc::Credential::sys(options_.uid, options_.gid);
  setup.slots = options_.slots;
  setup.callback_program = !data_server && options_.back_channel ? CallbackService::kProgram : 0;
  setup.timeout = options_.timeout;
  return setup;
}

io::Task<Outcome<>> FileSystem::mount(io::Endpoint server) {
  session_ = std::make_unique<Session>(rpc_, timers_, setup_for(server, false));
  auto established = co_await establish();
  if (!established) co_return established.error();
  auto completed = co_await reclaim_complete();
  if (!completed) co_return completed.error();
  auto reply = co_await run([] {
    auto compound = Compound::in_session();
    compound->add(OP_PUTROOTFH).add(OP_GETFH);
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTROOTFH);
  const auto& fh = (*reply)->get<GETFH4res>(OP_GETFH).resok4.object;
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  root_.assign(fh.bytes.begin(), fh.bytes.end());
  if (options_.renew_every > Duration(0)) tasks_.spawn("client lease", renew());
  co_return Outcome<>{};
}

io::Task<Outcome<>> FileSystem::establish() {
  const sessionid4 before = session_->sessionid();
  auto established = co_await session_->establish();
  if (!established) co_return established.error();
  callback_service_.remove_session(before);
  callback_service_.add_session(session_->sessionid());
  co_return Outcome<>{};
}

io::Task<Outcome<>> FileSystem::reclaim_complete() {
  auto compound = Compound::in_session();
  compound->add(OP_RECLAIM_COMPLETE, RECLAIM_COMPLETE4args{false});
  auto reply = co_await session_->run(compound);
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_RECLAIM_COMPLETE);
  const auto& failure = (*reply)->failure();
  if (failure && !failure->is(NFS4ERR_COMPLETE_ALREADY)) co_return *failure;
  co_return Outcome<>{};
}

io::Task<Outcome<>> FileSystem::unmount() {
  for (const FilePtr& file : open_files()) {
    auto closed = co_await close(file);
    if (!closed) co_return closed.error();
  }
  for (const DataServer& server : data_servers_) {
    auto destroyed = co_await server.session->destroy();
    if (!destroyed) co_return destroyed.error();
  }
  data_servers_.clear();
  if (session_) {
    auto destroyed = co_await session_->destroy();
    if (!destroyed) co_return destroyed.error();
  }
  co_await stop();
  co_return Outcome<>{};
}

io::Task<void> FileSystem::stop() {
  tasks_.stop();
  co_await tasks_.join();
  co_await rpc_.stop();
}

io::Task<void> FileSystem::renew() {
  for (;;) {
    co_await timers_.sleep(options_.renew_every);
    auto reply = co_await run([] { return Compound::in_session(); });
    (void)reply;  // whoever uses the session next hears of it
  }
}

namespace {

// The session, or all of the client's state, is gone at the server (RFC 8881 8.4.2.1, 18.46.3).
bool lost(const Failure& failure) {
  return failure.is(NFS4ERR_BADSESSION) || failure.is(NFS4ERR_DEADSESSION) || failure.is(NFS4ERR_STALE_CLIENTID) ||
         failure.is(NFS4ERR_EXPIRED);
}

// Without side effects on the reply: what its overall status says.
bool try_later(nfsstat4 status) {
  return status == NFS4ERR_DELAY || status == NFS4ERR_GRACE;
}

}  // namespace

io::Task<Outcome<ReplyPtr>> FileSystem::run(Build build) {
  const TimePoint give_up = timers_.now() + options_.patience;
  Duration pause = std::chrono::milliseconds(20);
  uint32_t recoveries = 0;
  for (;;) {
    while (recovering_) co_await recovered_.wait();
    auto reply = co_await session_->run(build());
    if (!reply) {
      if (!lost(reply.error()) || recoveries == 3) co_return reply.error();
      ++recoveries;
      auto recovered = co_await recover();
      if (!recovered) co_return recovered.error();
      continue;
    }
    if (!try_later((*reply)->status()) || timers_.now() + pause > give_up) co_return std::move(*reply);
    co_await timers_.sleep(pause);
    pause = std::min<Duration>(pause * 2, std::chrono::seconds(2));
  }
}

io::Task<Outcome<>> FileSystem::recover() {
  if (recovering_) {  // somebody is at it
    while (recovering_) co_await recovered_.wait();
    co_return Outcome<>{};
  }
  recovering_ = true;
  struct Done {
    FileSystem& fs;
    ~Done() {
      fs.recovering_ = false;
      fs.recovered_.notify_all();
    }
  } done{*this};
  ++recoveries_;
  const uint32_t before = session_->establishments();
  auto established = co_await establish();
  if (!established) co_return established.error();
  if (session_->establishments() == before) co_return Outcome<>{};  // the client id lives, so does its state
  for (const FilePtr& file : open_files()) {
    file->layout.reset();  // layouts do not survive a restart (RFC 8881 12.7.4)
    auto reclaimed = co_await reclaim(file);
    if (!reclaimed && !reclaimed.error().is(NFS4ERR_NO_GRACE)) co_return reclaimed.error();
    if (!reclaimed) file->open = false;
  }
  co_return co_await reclaim_complete();
}

io::Task<Outcome<>> FileSystem::reclaim(FilePtr file) {
  OPEN4args args;
  args.share_access = file->access;
  args.share_deny = file->deny;
  args.owner.clientid = session_->clientid();
  args.owner.owner.bytes = std::as_bytes(std::span(file->owner));
  args.claim.claim = CLAIM_PREVIOUS;
  args.claim.delegate_type = file->delegation;
  auto compound = Compound::in_session();
  compound->putfh(file->fh).add(OP_OPEN, args).cache();
  auto reply = co_await session_->run(compound);
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& open = (*reply)->get<OPEN4res>(OP_OPEN);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  take_open(*file, open.resok4);
  co_return Outcome<>{};
}

std::vector<FilePtr> FileSystem::open_files() {
  std::vector<FilePtr> open;
  std::erase_if(files_, [&open](const std::weak_ptr<OpenFile>& weak) {
    auto file = weak.lock();
    if (!file || !file->open) return true;
    open.push_back(std::move(file));
    return false;
  });
  return open;
}

uint32_t FileSystem::io_bytes() const {
  const channel_attrs4& fore = session_->fore_channel();
  constexpr uint32_t kOverhead = 1024;  // RPC header, SEQUENCE, PUTFH and the operation's own fields
  const uint32_t room = std::min(fore.ca_maxrequestsize, fore.ca_maxresponsesize);
  return std::min(options_.io_bytes, room > kOverhead ? room - kOverhead : 512);
}

}  // namespace pnfs::client
