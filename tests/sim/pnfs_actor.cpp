// Sessions, recovery and files.
#include "tests/sim/pnfs_actor.hpp"

#include "testbed/client/attributes.hpp"

namespace pnfs::cluster {

using namespace nfs;
using client::Compound;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t kForever = 100'000;
constexpr Duration kDeviceTime = 12s;  // longer than a server tries a command

bool session_lost(const client::Failure& failure) {
  return failure.is(NFS4ERR_BADSESSION) || failure.is(NFS4ERR_DEADSESSION) || failure.is(NFS4ERR_STALE_CLIENTID);
}

}  // namespace

PnfsActor::PnfsActor(World& world, std::string name)
    : world_(world),
      name_(std::move(name)),
      network_(world.cluster.add_node(name_)),
      callbacks_(this),
      changed_(world.cluster.sim().executor()) {
  reborn();
}

PnfsActor::~PnfsActor() = default;

void PnfsActor::reborn() {
  ++incarnation_;
  for (File& file : files_) ghosts_.merge(file.on_the_way);
  for (auto& [at, server] : data_servers_) ghosts_.merge(server.orphans);
  mds_ghosts_.merge(std::exchange(at_mds_, {}));
  ghost_life_ = session_life_;
  session_life_ = 0;
  complete_ = recovering_ = done_ = false;
  mds_.reset();
  data_servers_.clear();
  devices_.clear();
  files_.clear();
  for (const char* name : {"a", "b"}) files_.push_back({.name = name});
  rpc_ = std::make_unique<rpc::Client>(network_, timers());
  rpc_->add_service(callbacks_);
  tasks_ = std::make_unique<io::TaskGroup>(world_.cluster.sim().executor());
  mds_ = std::make_unique<client::Session>(*rpc_, timers(), setup_for(world_.cluster.mds_address(), false));
}

io::Task<void> PnfsActor::stop() {
  tasks_->stop();
  co_await tasks_->join();
  co_await rpc_->stop();
}

client::SessionSetup PnfsActor::setup_for(const io::Endpoint& at, bool data_server) {
  client::SessionSetup setup;
  setup.server = at;
  setup.owner = name_;
  setup.slots = 4;
  setup.timeout = world_.call_timeout;
  setup.connect_timeout = 1s;
  // A data server's client is another one after each time it was given up: its old requests die with the old one.
  const uint64_t verifier = incarnation_ << 32 | (data_server ? ++ds_incarnation_ : 0);
  for (size_t i = 0; i < 8; ++i) setup.verifier.bytes[i] = static_cast<std::byte>(verifier >> (8 * i));
  if (data_server) {
    setup.exchange_flags = EXCHGID4_FLAG_USE_PNFS_DS;
    setup.attempts = 2;
  } else {
    setup.attempts = kForever;
    setup.callback_program = client::CallbackService::kProgram;
  }
  return setup;
}

io::Task<PnfsActor::Answer> PnfsActor::ask(Build build) {
  Duration wait = 20ms;
  while (!world_.over) {
    while (recovering_) co_await changed_.wait();
    if (!complete_) {
      co_await recover();
      continue;
    }
    auto reply = co_await mds_->run(build());
    if (!reply) {
      if (session_lost(reply.error())) {
        co_await recover();
      } else {
        co_await pause(200ms);
      }
      continue;
    }
    const nfsstat4 status = (*reply)->status();
    if (status != NFS4ERR_DELAY && status != NFS4ERR_GRACE) co_return Answer{std::move(*reply), status};
    co_await pause(wait);
    wait = std::min<Duration>(wait * 2, 1s);
  }
  co_return Answer{};
}

// A new session and, if the server forgot us, a new client id: then opens are claimed back or gone.
io::Task<void> PnfsActor::recover() {
  if (recovering_) {
    while (recovering_) co_await changed_.wait();
    co_return;
  }
  recovering_ = true;
  struct Done {
    PnfsActor& actor;
    ~Done() {
      actor.recovering_ = false;
      actor.changed_.notify_all();
    }
  } over{*this};
  const clientid4 before = mds_->clientid();
  const auto old_session = mds_->sessionid();
  uint64_t life = world_.mds_lives;
  for (;;) {
    auto established = co_await mds_->establish();
    if (established) break;
    if (world_.over) co_return;
    mds_->disconnect("no answer");
    co_await pause(100ms);
    life = world_.mds_lives;
  }
  callbacks_.remove_session(old_session);
  callbacks_.add_session(mds_->sessionid());
  if (mds_->clientid() != before) {
    if (before != 0) world_.mark(life == session_life_ ? "lease expired" : "mds restarted under a client");
    for (File& file : files_) {
      // The server that knew our stateids says that they are gone: they are gone at every data server.
      if (life == session_life_) fence_writes(file);
      file.layout.reset();
    }
    // The same for what our last incarnation left behind.
    if (life == ghost_life_) {
      for (const WriteId write : std::exchange(ghosts_, {})) world_.model.dead(write);
    }
    ghosts_.merge(std::exchange(mds_ghosts_, {}));
    if (!ghosts_.empty()) tasks_->spawn("ghosts", bury(std::exchange(ghosts_, {})));
    session_life_ = life;
    complete_ = false;
  }
  if (complete_) co_return;
  for (File& file : files_)
    if (file.open) co_await reclaim(file);
  auto compound = Compound::in_session();
  compound->add(OP_RECLAIM_COMPLETE, RECLAIM_COMPLETE4args{false});
  auto reply = co_await mds_->run(compound);
  complete_ = reply.has_value();
}

io::Task<void> PnfsActor::reclaim(File& file) {
  OPEN4args args;
  args.share_access = file.writable ? OPEN4_SHARE_ACCESS_BOTH : OPEN4_SHARE_ACCESS_READ;
  args.owner.clientid = mds_->clientid();
  args.owner.owner.bytes = std::as_bytes(std::span(name_));
  args.claim.claim = CLAIM_PREVIOUS;
  auto compound = Compound::in_session();
  compound->putfh(file.fh).add(OP_OPEN, args).cache();
  auto reply = co_await mds_->run(compound);
  file.open = false;
  if (!reply || (*reply)->status() != NFS4_OK) co_return;
  (*reply)->ok(OP_PUTFH);
  file.stateid = (*reply)->get<OPEN4res>(OP_OPEN).resok4.stateid;
  file.open = true;
  world_.mark("reclaimed");
}

// ---- data servers

bool PnfsActor::any_given_up() const {
  return std::any_of(data_servers_.begin(), data_servers_.end(), [](const auto& e) { return e.second.given_up; });
}

void PnfsActor::give_up(const io::Endpoint& at) {
  DataServer& server = data_servers_[at];
  server.given_up = true;
  if (server.session) server.session->disconnect("given up");
}

void PnfsActor::data_server_died(const io::Endpoint& at) {
  const auto it = data_servers_.find(at);
  if (it == data_servers_.end()) return;
  for (const WriteId write : it->second.orphans) world_.model.dead(write);
  it->second.orphans.clear();
}

// A session with the data server that is no older than the last time it was given up.
io::Task<bool> PnfsActor::reach(io::Endpoint at) {
  DataServer& server = data_servers_[at];
  if (server.session && !server.given_up) co_return true;
  auto session = std::make_shared<client::Session>(*rpc_, timers(), setup_for(at, true));
  auto established = co_await session->establish();
  if (!established) co_return false;
  DataServer& now = data_servers_[at];
  if (now.session && !now.given_up) co_return true;  // somebody was quicker
  now.session = std::move(session);
  now.given_up = false;
  // Its old client is gone, so nothing of it starts any more; what was at the device gets time to end.
  if (!now.orphans.empty()) tasks_->spawn("orphans", bury(std::exchange(now.orphans, {})));
  co_return true;
}

io::Task<void> PnfsActor::bury(std::set<WriteId> orphans) {
  struct Buried {
    DataModel& model;
    std::set<WriteId> writes;
    ~Buried() {
      for (const WriteId write : writes) model.dead(write);
    }
  } buried{world_.model, std::move(orphans)};
  co_await pause(kDeviceTime);
}

io::Task<PnfsActor::Answer> PnfsActor::ask_data_server(io::Endpoint at, Build build) {
  for (int again = 0; !world_.over;) {
    const bool reached = co_await reach(at);
    if (!reached) co_return Answer{};
    const std::shared_ptr<client::Session> session = data_servers_[at].session;
    auto reply = co_await session->run(build());
    if (!reply) {
      if (!session_lost(reply.error()) || ++again > 4) break;
      auto established = co_await session->establish();
      if (!established) break;
      continue;
    }
    const nfsstat4 status = (*reply)->status();
    if (status != NFS4ERR_DELAY || ++again > 20) co_return Answer{std::move(*reply), status};
    co_await pause(again < 5 ? 50ms : 500ms);
  }
  co_return Answer{};
}

// ---- files

void PnfsActor::fence_writes(File& file) {
  for (const WriteId write : file.on_the_way) world_.model.fenced(write);
}

void PnfsActor::forget(File& file) {
  const std::string name = file.name;
  file = File{.name = name};
}

io::Task<bool> PnfsActor::open(File& file, bool writable) {
  if (file.open && (file.writable || !writable)) co_return true;
  const client::Fh had = file.fh;
  auto answer = co_await ask([this, &file, writable] {
    OPEN4args args;
    args.share_access = writable ? OPEN4_SHARE_ACCESS_BOTH : OPEN4_SHARE_ACCESS_READ;
    args.owner.clientid = mds_->clientid();
    args.owner.owner.bytes = std::as_bytes(std::span(name_));
    args.openhow.opentype = OPEN4_CREATE;
    args.openhow.how.mode = UNCHECKED4;
    args.claim.file.text = file.name;
    auto compound = Compound::in_session();
    compound->add(OP_PUTROOTFH).add(OP_OPEN, args).add(OP_GETFH).cache();
    return compound;
  });
  if (!answer.ok()) {
    if (answer.refused()) world_.fail(fmt::format("{}: OPEN: {}", name_, status_name(answer.status)));
    co_return false;
  }
  answer.reply->ok(OP_PUTROOTFH);
  const stateid4 stateid = answer.reply->get<OPEN4res>(OP_OPEN).resok4.stateid;
  const auto bytes = answer.reply->get<GETFH4res>(OP_GETFH).resok4.object.bytes;
  const client::Fh fh(bytes.begin(), bytes.end());
  if (fh != had) forget(file);  // another file by this name
  file.fh = fh;
  file.number = world_.file_of(fh);
  file.stateid = stateid;
  file.writable = writable || (file.open && file.writable);
  file.open = true;
  co_return true;
}

io::Task<void> PnfsActor::close(File& file) {
  if (!file.open) co_return;
  const uint64_t life = session_life_;
  const stateid4 stateid = file.stateid;
  const std::vector<Place> places = places_of(file);
  auto answer = co_await ask([&file, stateid] {
    auto compound = Compound::in_session();
    compound->putfh(file.fh).add(OP_CLOSE, CLOSE4args{0, stateid}).cache();
    return compound;
  });
  if (!answer.reply) co_return;
  if (answer.ok() && life == world_.mds_lives && life == session_life_) {
    world_.mark("close");
    fence_writes(file);
    if (world_.random.chance(1, 3)) co_await probe(file.fh, file.number, stateid, places);
  }
  file.open = false;
}

io::Task<void> PnfsActor::downgrade(File& file) {
  if (!file.open || !file.writable) co_return;
  const uint64_t life = session_life_;
  auto answer = co_await ask([&file] {
    auto compound = Compound::in_session();
    compound->putfh(file.fh).add(OP_OPEN_DOWNGRADE,
                                 OPEN_DOWNGRADE4args{file.stateid, 0, OPEN4_SHARE_ACCESS_READ, OPEN4_SHARE_DENY_NONE});
    compound->cache();
    return compound;
  });
  if (!answer.reply) co_return;
  if (!answer.ok()) {
    file.open = false;
    co_return;
  }
  answer.reply->ok(OP_PUTFH);
  file.stateid = answer.reply->get<OPEN_DOWNGRADE4res>(OP_OPEN_DOWNGRADE).resok4.open_stateid;
  file.writable = false;
  if (life != world_.mds_lives || life != session_life_) co_return;
  world_.mark("downgrade");
  fence_writes(file);
  if (world_.random.chance(1, 3)) co_await probe(file.fh, file.number, file.stateid, places_of(file));
}

io::Task<void> PnfsActor::remove(File& file) {
  auto answer = co_await ask([&file] {
    auto compound = Compound::in_session();
    REMOVE4args args;
    args.target.text = file.name;
    compound->add(OP_PUTROOTFH).add(OP_REMOVE, args).cache();
    return compound;
  });
  if (answer.ok()) world_.mark("remove");
  if (file.open) co_await close(file);
}

io::Task<void> PnfsActor::truncate(File& file, uint32_t cells) {
  if (!co_await open(file, true)) co_return;
  const WriteId write = world_.model.begin_truncate(file.number, cells);
  at_mds_.insert(write);
  auto answer = co_await ask([&file, cells] {
    Arena arena;
    client::NewAttributes attributes;
    attributes.size = DataModel::offset_of(cells);
    SETATTR4args args;
    args.stateid = file.stateid;
    args.obj_attributes = attributes.encode(arena);
    auto compound = Compound::in_session();
    compound->putfh(file.fh).add(OP_SETATTR, args).cache();
    return compound;
  });
  if (!answer.reply) co_return;
  at_mds_.erase(write);
  if (answer.ok()) {
    world_.mark("truncate");
    world_.model.answered(write, true);
  } else {
    world_.model.dead(write);
    file.open = false;
  }
}

}  // namespace pnfs::cluster
