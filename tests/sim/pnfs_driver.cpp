#include "tests/sim/pnfs_driver.hpp"

#include "common/compound/allowed_errors.hpp"
#include "common/compound/fault_points.hpp"
#include "common/control/control_service.hpp"
#include "common/trace/json_line.hpp"
#include "mds/layout/pnfs_server.hpp"

namespace pnfs::cluster {

using namespace std::chrono_literals;

namespace {

constexpr Duration kClientLease = 6s;
constexpr Duration kNodeLease = kClientLease / 3;
constexpr Duration kTooLong = 400s;    // for the clients to end once everything is mended

// A LUN on which mkfs was done, made once for all runs.
const block::MemoryLun& made_volume() {
  static const block::MemoryLun lun = [] {
    io::Simulation sim(1);
    block::MemoryLun fresh({.bytes = 48u << 20});
    block::MemoryBlockStore store(sim.executor(), fresh);
    auto made = sim.run(volume::mkfs(store, {.node_slots = 8, .catalog_bytes = 4u << 20, .log_bytes = 4u << 20}, sim.random(), sim.clock()));
    if (!made) throw std::logic_error(made.error().reason);
    sim.run(store.flush());
    return fresh;
  }();
  return lun;
}

}  // namespace

PnfsDriver::PnfsDriver(uint64_t seed, Plan plan, std::set<std::string>& marks)
    : plan_(std::move(plan)),
      marks_(marks),
      random_(seed * 7919 + 1),
      outside_before_(compound::errors_outside_table()) {
  compound::add_nfs_points(vocabulary_);
  control::add_control_points(vocabulary_);
  cluster_ = std::make_unique<Cluster>(options(seed));
  world_ = std::make_unique<World>(*cluster_, seed * 104729 + 3, marks);
  world_->crowded = random_.chance(1, 3);
  if (random_.chance(1, 3)) world_->call_timeout = 300ms;
  world_->moment = [this] { moment(); };
}

PnfsDriver::~PnfsDriver() {
  world_->over = true;
  try {
    for (auto& client : clients_) cluster_->run(client->stop());
  } catch (const std::exception& e) {
    fmt::print(stderr, "a client of the simulation does not end: {}\n", e.what());
    std::abort();  // its coroutines would outlive what they stand on
  }
  clients_.clear();
}

Options PnfsDriver::options(uint64_t seed) {
  Options o;
  o.seed = seed;
  o.data_servers = kDataServers;
  o.content = &made_volume();
  o.traced = plan_.traced;
  o.lun.bytes = made_volume().options().bytes;
  reservations_ = random_.chance(5, 6);
  o.lun.persistent_reservations = reservations_;
  o.lun.preempt_and_abort = random_.chance(1, 2);
  o.lun.aptpl = random_.chance(1, 3);
  o.lun.fua = random_.chance(2, 3);
  o.disk = {300us, 450us, 900us};
  o.disk_session.retry_for = 8s;
  o.link.latency = 80us;
  o.link.jitter = random_.chance(1, 2) ? 400us : 0us;
  o.mds.lease = kClientLease;
  o.mds.courtesy = 0s;
  o.mds.delegations = false;
  o.mds.host = random_.chance(1, 2) ? "sim" : "";  // another one waits for the lease of the one before
  o.ds.join_timeout = 1s;
  o.ds.keep_grants = random_.chance(1, 4) ? 2 : 1000;
  o.ds.strict_seqid = random_.chance(1, 2);
  mds::layout::Personality personality = *mds::layout::make_personality("modern");
  personality.striping.stripe_bytes = 4096;
  personality.striping.dense = random_.chance(1, 4);
  personality.striping.commit_thru_mds = random_.chance(1, 4);
  o.mds.personality = personality;
  o.faults_of = [this](const std::string& node) -> fault::Injector* {
    const auto it = engines_.find(node);
    return it == engines_.end() ? nullptr : it->second.get();
  };
  for (const auto& [names, rules] : plan_.faults) {
    for (const std::string name : {"mds", "ds1", "ds2", "ds3"}) {
      if (names != "*" && !name.starts_with(names)) continue;
      auto& engine = engines_[name];
      if (!engine) engine = std::make_unique<fault::Engine>(vocabulary_, clock_, fault::Engine::Options{.node = name, .seed = seed});
      for (const std::string& rule : rules)
        if (auto added = engine->add(rule); !added) throw std::logic_error(added.error().reason);
    }
  }
  if (plan_.change) plan_.change(o);
  reservations_ = o.lun.persistent_reservations;
  return o;
}

std::string PnfsDriver::run() {
  try {
    if (auto started = cluster_->start(); !started) return "start: " + started.error().reason;
    for (int i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<PnfsActor>(*world_, fmt::format("client{}", i + 1)));
      clients_.back()->start(plan_.steps);
    }
    choose_faults();
    live();
    if (!world_->over) settle();
    collect_marks();
  } catch (const std::exception& e) {
    world_->fail(fmt::format("an exception: {}", e.what()));
  }
  if (world_->problem.empty()) return "";
  return fmt::format("{} (what failed before: {})", world_->problem, fmt::join(history_, ", "));
}

bool PnfsDriver::clients_done() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->done(); });
}

// ---- trouble

void PnfsDriver::choose_faults() {
  // Some runs are quiet: two clients are trouble enough.
  troubles_ = random_.chance(1, 5) ? 0 : 1 + static_cast<int>(random_.below(5));
  next_trouble_ = cluster_->sim().now() + std::chrono::milliseconds(random_.below(400));
}

Duration PnfsDriver::any_time() {
  constexpr Duration kTimes[] = {5ms, 100ms, 700ms, 2500ms, 5s, 9s};
  return kTimes[random_.below(std::size(kTimes))] + std::chrono::microseconds(random_.below(3000));
}

std::string PnfsDriver::any_server() {
  const uint64_t number = random_.below(kDataServers + 1);
  return number == 0 ? "mds" : fmt::format("ds{}", number);
}

std::string PnfsDriver::used_data_server() {
  for (const auto& client : clients_) {
    const auto at = client->writes_at();
    for (uint32_t number = 1; at && number <= kDataServers; ++number)
      if (cluster_->ds_address(number) == *at) return fmt::format("ds{}", number);
  }
  return fmt::format("ds{}", 1 + random_.below(kDataServers));
}

std::string PnfsDriver::any_node() {
  return random_.chance(1, 3) ? fmt::format("client{}", 1 + random_.below(kClients)) : any_server();
}

void PnfsDriver::cut(const std::string& a, const std::string& b, Duration time) {
  if (mended_ || a == b || !cuts_.insert(std::minmax(a, b)).second) return;
  history_.push_back(fmt::format("{} and {} cut for {} ms", a, b, time / 1ms));
  auto& timers = cluster_->sim().timers();
  if (b == "lun") {
    cluster_->cut_from_lun(a, true);
    timers.schedule_after(time, [this, a, b] {
      cluster_->cut_from_lun(a, false);
      cuts_.erase(std::minmax(a, b));
    });
    return;
  }
  cluster_->partition(a, b);
  timers.schedule_after(time, [this, a, b] {
    cluster_->heal(a, b);
    cuts_.erase(std::minmax(a, b));
  });
}

void PnfsDriver::lose_target(Duration time) {
  if (!cluster_->lun().up()) return;
  history_.push_back(fmt::format("the target is down for {} ms and loses its cache", time / 1ms));
  marks_.insert("target restart");
  cluster_->lun().crash(cluster_->sim().random());
  world_->model.cache_lost();
  cluster_->sim().timers().schedule_after(time, [this] { cluster_->lun().restart(); });
}

void PnfsDriver::come_late() {
  const TimePoint now = cluster_->sim().now();
  // Without reservations the MDS waits for another lease and a margin of a second (Cluster::fence); one that has just
  // started counts from its start instead. What comes later than that no server can make good.
  if (!reservations_ && (!cluster_->running("mds") || (mds_died_ && now - *mds_died_ < 2 * kNodeLease))) return;
  const std::string one = used_data_server();
  const Duration late = std::chrono::milliseconds(1500 + random_.below(reservations_ ? 7500 : 1300));
  const Duration time = kNodeLease + std::chrono::milliseconds(random_.below(1000));
  late_until_ = now + time + late;
  history_.push_back(fmt::format("for {} ms commands of {} come {} ms late", time / 1ms, one, late / 1ms));
  cluster_->late_at_lun(one, late);
  cluster_->sim().timers().schedule_after(time, [this, one] { cluster_->late_at_lun(one, 0ms); });
  // A moment later: what is written meanwhile is on its way when the MDS hears nothing any more.
  cluster_->sim().timers().schedule_after(std::chrono::milliseconds(random_.below(200)),
                                          [this, one, time, late] { cut(one, "mds", time + late); });
  for (auto& client : clients_) client->keep_busy(time);
}

void PnfsDriver::split() {
  const std::string one = used_data_server();
  const size_t reader = random_.below(clients_.size());
  const Duration time = kNodeLease * 2 + std::chrono::milliseconds(random_.below(2000));
  cut(one, "mds", time);
  cut(fmt::format("client{}", reader + 1), "mds", time);
  marks_.insert("data server and client cut from the MDS");
  clients_[reader]->read_on(time);
  for (auto& client : clients_) client->keep_busy(time);
}

void PnfsDriver::moment() {
  if (troubles_ <= 0 || !random_.chance(1, 25)) return;
  --troubles_;
  if (random_.chance(1, 3)) {
    come_late();  // while this client has nothing to wait for
  } else if (random_.chance(2, 3)) {
    lose_target(random_.chance(3, 4) ? Duration(5ms) : any_time());
  } else {
    cut(any_node(), any_server(), any_time());
  }
}

void PnfsDriver::break_something() {
  switch (random_.below(13)) {
    case 0:
    case 1:
      cut(any_node(), any_server(), any_time());
      break;
    case 2: {
      // Cut off from everybody: as good as hung.
      const std::string one = any_server();
      const Duration time = any_time();
      for (const std::string other : {"mds", "ds1", "ds2", "ds3", "client1", "client2"})
        if (other != one) cut(one, other, time);
      if (reservations_ && random_.chance(1, 2)) cut(one, "lun", time);
      break;
    }
    case 3:
      if (reservations_) cut(any_server(), "lun", any_time());
      break;
    case 4:
    case 5:
      kill_server(fmt::format("ds{}", 1 + random_.below(kDataServers)));
      break;
    case 6:
      kill_server("mds");
      break;
    case 7:
    case 8:
      lose_target(any_time());
      break;
    case 9:
      if (random_.chance(1, 2)) {
        kill_client();
      } else {
        const std::string a = any_node(), b = any_server();
        history_.push_back(fmt::format("connections of {} and {} reset", a, b));
        if (a != b) cluster_->network().reset_connections(a, b);
      }
      break;
    case 10:
    case 11:
      split();
      break;
    default:
      if (cluster_->running("mds")) {
        history_.push_back("layouts are recalled");
        static_cast<mds::layout::PnfsServer&>(cluster_->mds().pnfs()).recall(0, 0);
      }
      break;
  }
}

void PnfsDriver::kill_server(const std::string& name) {
  if (!cluster_->running(name)) return;
  if (name == "mds") {
    if (!reservations_ && cluster_->sim().now() < late_until_) return;  // come_late()
    mds_died_ = cluster_->sim().now();
  }
  const Duration time = any_time();
  history_.push_back(fmt::format("{} killed for {} ms", name, time / 1ms));
  collect_marks();
  cluster_->kill(name, random_.chance(1, 2) ? io::MemoryNetwork::Death::process : io::MemoryNetwork::Death::power);
  marks_.insert(name == "mds" ? "mds killed" : "ds killed");
  dead_[name] = cluster_->sim().now() + time;
  if (name == "mds") {
    ++world_->mds_lives;
  } else {
    const auto number = static_cast<uint32_t>(name.back() - '0');
    for (auto& client : clients_) client->data_server_died(cluster_->ds_address(number));
  }
}

void PnfsDriver::restart_servers(bool all) {
  const auto dead = dead_;
  for (const auto& [name, when] : dead) {
    if (!all && cluster_->sim().now() < when) continue;
    auto started = cluster_->restart(name);
    if (started) {
      dead_.erase(name);
    } else {
      dead_[name] = cluster_->sim().now() + 300ms;
      if (name == "mds") ++world_->mds_lives;  // it may have been up for a moment
    }
  }
}

void PnfsDriver::kill_client() {
  const size_t index = random_.below(clients_.size());
  PnfsActor& client = *clients_[index];
  if (client.done()) return;
  history_.push_back(fmt::format("client{} starts anew", index + 1));
  marks_.insert("client restart");
  cluster_->network().kill(fmt::format("client{}", index + 1), io::MemoryNetwork::Death::process);
  cluster_->run(client.stop());
  client.reborn();
  client.start(plan_.steps / 2);
}

void PnfsDriver::live() {
  auto& sim = cluster_->sim();
  const TimePoint latest = sim.now() + 120s;
  while (!clients_done() && !world_->over && sim.now() < latest) {
    const TimePoint until = troubles_ > 0 ? next_trouble_ : sim.now() + 500ms;
    sim.run_until([&] { return clients_done() || world_->over || sim.now() >= until; }, std::max<Duration>(until - sim.now(), 1ms));
    if (world_->over) return;
    restart_servers(false);
    if (troubles_ > 0 && sim.now() >= next_trouble_) {
      --troubles_;
      break_something();
      next_trouble_ = sim.now() + std::chrono::milliseconds(random_.below(random_.chance(1, 2) ? 200 : 6000));
    }
  }
}

// Everything is mended: now the clients must come to an end, and what they read is what the model says.
void PnfsDriver::settle() {
  auto& sim = cluster_->sim();
  troubles_ = 0;
  mended_ = true;
  for (const auto& [a, b] : cuts_) {
    const std::string& node = a == "lun" ? b : a;
    const std::string& other = a == "lun" ? a : b;
    if (other == "lun") {
      cluster_->cut_from_lun(node, false);
    } else {
      cluster_->heal(a, b);
    }
  }
  sim.run_until([&] { return cluster_->lun().up(); }, 30s);
  for (int tries = 0; !dead_.empty() && tries < 60; ++tries) {
    sim.run_for(200ms);
    restart_servers(true);
  }
  if (!dead_.empty()) return world_->fail(dead_.begin()->first + " does not start again");
  if (!sim.run_until([&] { return clients_done() || world_->over; }, kTooLong)) {
    std::string what;
    for (const auto& client : clients_) what += client->state() + "; ";
    return world_->fail("nothing gets on although everything is mended: " + what);
  }
  if (world_->over) return;
  for (auto& client : clients_) cluster_->run(client->verify());
  if (!world_->over && compound::errors_outside_table() != outside_before_) world_->fail("an operation returned what RFC 8881 15.2 does not list");
}

// ---- what was met

void PnfsDriver::collect_marks() {
  if (cluster_->lun().late_writes() > 0) marks_.insert("late write");
  if (cluster_->lun().late_refused() > 0) marks_.insert("late write refused by the fence");
  if (cluster_->running("mds")) {
    const auto& counters = static_cast<mds::layout::PnfsServer&>(cluster_->mds().pnfs()).cluster().counters();
    if (counters.revokes > 0) marks_.insert("revoke");
    if (counters.fenced > counters.waited_out) marks_.insert("fence");
    if (counters.waited_out > 0) marks_.insert("quarantine");
  }
  for (uint32_t i = 1; i <= kDataServers; ++i) {
    if (!cluster_->running(fmt::format("ds{}", i))) continue;
    const auto& counters = cluster_->ds(i).link().counters();
    if (counters.crossed > 0) marks_.insert("crossed grant and revoke");
    if (counters.lives > 1) marks_.insert("a second life");
    if (counters.fenced > 0) marks_.insert("fenced at the device");
  }
}

std::string PnfsDriver::trace_end(size_t lines) const {
  std::string text;
  const auto& events = cluster_->trace().events();
  for (size_t i = events.size() - std::min(events.size(), lines); i < events.size(); ++i)
    trace::append_json_line(text, trace::to_view(events[i]));
  return text;
}

}  // namespace pnfs::cluster
