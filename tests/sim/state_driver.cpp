#include "tests/sim/state_driver.hpp"

#include "common/compound/fault_points.hpp"

namespace pnfs::cluster {

using namespace nfs;
using client::Compound;
using namespace std::chrono_literals;

namespace {
constexpr Duration kLease = 10s;
constexpr block::MemoryLunOptions kLun{.bytes = 64u << 20};

const fault::Vocabulary& nfs_vocabulary() {
  static const fault::Vocabulary vocabulary = [] {
    fault::Vocabulary points;
    compound::add_nfs_points(points);
    return points;
  }();
  return vocabulary;
}

// One volume for all runs: mkfs would take longer than a run.
const block::MemoryLun& formatted_lun() {
  static const std::unique_ptr<block::MemoryLun> lun = [] {
    Cluster cluster({.data_servers = 0, .lun = kLun, .traced = false});
    if (auto started = cluster.start(); !started) throw std::runtime_error(started.error().reason);
    if (auto stopped = cluster.stop("mds"); !stopped) throw std::runtime_error(stopped.error().reason);
    return cluster.lun().clone();
  }();
  return *lun;
}
}  // namespace

StateDriver::StateDriver(uint64_t seed, Plan plan, Marks& marks)
    : random_(seed), plan_(std::move(plan)), marks_(marks) {
  faults_ = std::make_unique<fault::Engine>(nfs_vocabulary(), clock_, fault::Engine::Options{.node = "mds", .seed = seed});
  Options options;
  options.seed = seed;
  options.data_servers = 0;
  options.lun = kLun;
  options.content = &formatted_lun();
  options.traced = plan_.trace;
  options.faults = faults_.get();
  options.mds.lease = kLease;
  if (plan_.change) plan_.change(options);
  cluster_ = std::make_unique<Cluster>(std::move(options));
}

StateDriver::~StateDriver() {
  for (auto& actor : actors_) cluster_->run(actor->rpc->stop());
}

bool StateDriver::start() {
  if (auto started = cluster_->start(); !started) {
    problem(started.error().reason);
    return false;
  }
  for (int i = 0; i < kActors; ++i) {
    actors_.push_back(std::make_unique<Actor>(fmt::format("client{}", i), *cluster_));
    if (std::string why = actors_.back()->establish(); !why.empty()) problem(std::move(why));
    complete(*actors_.back());
  }
  if (!problem_.empty()) return false;
  auto top = Compound::in_session();
  top->add(OP_PUTROOTFH).add(OP_GETFH);
  if (auto reply = ask(*actors_[0], top)) {
    reply->ok(OP_PUTROOTFH);
    const auto fh = reply->get<GETFH4res>(OP_GETFH).resok4.object.bytes;
    root_.assign(fh.begin(), fh.end());
  }
  handles_.resize(kFiles);
  for (const std::string& rule : plan_.faults) {
    if (auto added = faults_->add(rule); !added) problem(added.error().reason);
  }
  return problem_.empty();
}

std::string StateDriver::run() {
  if (start()) {
    for (step_ = 1; step_ <= plan_.steps && problem_.empty(); ++step_) step();
  }
  if (problem_.empty()) return "";
  std::string last;
  for (size_t i = history_.size() - std::min<size_t>(history_.size(), 8); i < history_.size(); ++i) {
    last += fmt::format("{}{}", last.empty() ? "" : ", ", history_[i]);
  }
  return fmt::format("step {}: {} (the last steps: {})", step_, problem_, last);
}

void StateDriver::problem(std::string text) {
  if (problem_.empty()) problem_ = std::move(text);
}

client::ReplyPtr StateDriver::ask(Actor& actor, std::shared_ptr<Compound> compound) {
  if (!problem_.empty()) return nullptr;
  compound->cache();
  auto reply = cluster_->run(actor.session->run(compound));
  if (!reply) {
    problem(fmt::format("{} got no answer: {}", actor.name, client::to_string(reply.error())));
    return nullptr;
  }
  const bool told = (actor.session->status_flags() & SEQ4_STATUS_RECALLABLE_STATE_REVOKED) != 0;
  bool revoked = false, recalled = false;
  for (const auto& d : model_.delegations) {
    if (d.client == actor.id()) revoked |= d.revoked, recalled |= d.recalled;
  }
  if (told && !recalled) problem(fmt::format("{} is told of revoked state and has none", actor.name));
  if (!told && revoked) problem(fmt::format("{} is not told of revoked state", actor.name));
  if (told) mark("revoked flag");
  return std::move(*reply);
}

void StateDriver::same(std::string_view what, nfsstat4 expected, nfsstat4 got) {
  if (expected == got) return;
  problem(fmt::format("{}: the model says {}, the server {}", what, status_name(expected), status_name(got)));
}

void StateDriver::same_stateid(std::string_view what, const stateid4& expected, const stateid4& got) {
  if (expected == got) return;
  problem(fmt::format("{}: the model has {}, the server {}", what, mds::state::describe(expected),
                      mds::state::describe(got)));
}

// Time passes; who is awake keeps its lease.
void StateDriver::idle(Duration time) {
  while (time > Duration(0) && problem_.empty()) {
    const Duration part = std::min<Duration>(time, 3s);
    cluster_->run_for(part);
    time -= part;
    for (const auto& actor : actors_) {
      if (!actor->asleep && !actor->gone) (void)ask(*actor, Compound::in_session());
    }
  }
}

// White-box: the server holds as much as the model, and nothing beside it.
void StateDriver::check_counts() {
  const auto counts = cluster_->mds().state().counts();
  if (counts.opens != model_.opens.size() || counts.locks != model_.locks.size() ||
      counts.delegations != model_.delegations.size()) {
    problem(fmt::format("the model has {} opens, {} locks, {} delegations, the server {}, {}, {}", model_.opens.size(),
                        model_.locks.size(), model_.delegations.size(), counts.opens, counts.locks,
                        counts.delegations));
  }
}

Actor& StateDriver::any_actor() {
  Actor& actor = *actors_[random_.below(kActors)];
  if (actor.asleep || actor.gone) wake(actor);
  return actor;
}

Model::Open* StateDriver::any_open(clientid4 client) {
  std::vector<Model::Open*> mine;
  for (Model::Open& open : model_.opens) {
    if (open.client == client) mine.push_back(&open);
  }
  return mine.empty() ? nullptr : mine[random_.below(mine.size())];
}

std::set<clientid4> StateDriver::reachable_clients() {
  std::set<clientid4> result;
  for (const auto& actor : actors_) {
    const auto& connection = actor->session->connection();
    const bool connected = connection != nullptr && !connection->closed();
    if (connected && cluster_->mds().sessions().back_session(actor->id()) != nullptr) result.insert(actor->id());
  }
  return result;
}

Actor* StateDriver::actor_of(clientid4 client) {
  for (const auto& actor : actors_) {
    if (actor->id() == client) return actor.get();
  }
  return nullptr;
}

bool StateDriver::live(clientid4 client) const {
  for (const auto& actor : actors_) {
    if (actor->id() == client) return !actor->asleep;
  }
  return false;
}

void StateDriver::settle(const std::vector<clientid4>& others, bool succeeded) {
  for (clientid4 client : others) {
    Actor* actor = actor_of(client);
    if (actor == nullptr || actor->gone) continue;
    const bool known = std::as_const(cluster_->mds().sessions()).client(client) != nullptr;
    if (!known && !actor->asleep) problem(fmt::format("{} lost its state although its lease is good", actor->name));
    if (known && succeeded) problem(fmt::format("{} stood in the way and still has its state", actor->name));
    if (known) continue;
    mark("courtesy conflict");
    actor->gone = true;
    model_.drop(client);
  }
}

stateid4 StateDriver::any_stateid() {
  stateid4 s = seen_[random_.below(seen_.size())];
  const auto known = model_.known(s);
  if (known) s.seqid = known->seqid;
  switch (random_.below(6)) {
    case 0:
      s.seqid = 0;
      break;
    case 1:
      if (s.seqid > 1) --s.seqid;
      break;
    case 2:
      ++s.seqid;
      break;
    default:
      break;
  }
  return s;
}

}  // namespace pnfs::cluster
