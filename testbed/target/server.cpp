#include "testbed/target/server.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "testbed/target/connection.hpp"
#include "testbed/target/scsi/aptpl.hpp"

namespace pnfs::target {

namespace {
constexpr size_t kMaxNexuses = 65536;

bool may_see(const TargetConfig& config, std::string_view initiator, const io::Endpoint& local,
             const io::Endpoint& peer) {
  return (!config.allows_initiator || config.allows_initiator(initiator, peer)) &&
         (!config.allows_portal || config.allows_portal(local));
}
}  // namespace

class Server::Directory final : public LoginDirectory {
 public:
  Directory(const Server& server, const io::Endpoint& local, const io::Endpoint& peer)
      : server_(server), local_(local), peer_(peer) {}
  const LoginRules& discovery() const override { return server_.config_.discovery; }
  const LoginRules* find(std::string_view name) const override {
    const auto it = server_.targets_.find(name);
    return it == server_.targets_.end() ? nullptr : &it->second->config.rules;
  }
  bool allowed(std::string_view name, std::string_view initiator) const override {
    const TargetConfig& config = server_.targets_.find(name)->second->config;
    return may_see(config, initiator, local_, peer_);
  }

 private:
  const Server& server_;
  io::Endpoint local_;
  io::Endpoint peer_;
};

Server::Server(io::TimerQueue& timers, Random& random, ServerConfig config)
    : timers_(timers), random_(random), config_(std::move(config)), group_(timers.executor()) {}

Server::~Server() = default;

std::unique_ptr<LoginDirectory> Server::directory_for(const io::Endpoint& local, const io::Endpoint& peer) {
  return std::make_unique<Directory>(*this, local, peer);
}

Result<Target*> Server::add_target(TargetConfig config) {
  const std::string name = config.rules.name;
  auto& slot = targets_[name];
  if (slot) return error(Errc::exists, "target '{}' is configured twice", name);
  slot = std::make_unique<Target>();
  slot->config = std::move(config);
  by_tid_.push_back(slot.get());
  slot->tid = static_cast<uint32_t>(by_tid_.size());
  return slot.get();
}

Result<void> Server::add_unit(Target& target, scsi::UnitConfig config, std::unique_ptr<Backing> backing) {
  const uint32_t lun = config.lun;
  if (target.units.contains(lun))
    return error(Errc::exists, "LUN {} of '{}' is configured twice", lun, target.config.rules.name);
  config.target_name = target.config.rules.name;
  auto unit = std::make_unique<scsi::LogicalUnit>(std::move(config), std::move(backing), this);
  if (auto restored = scsi::restore_reservations(*unit); !restored) return restored;
  target.units[lun] = std::move(unit);
  target.luns.clear();
  for (const auto& [number, each] : target.units) target.luns.push_back(number);
  return {};
}

void Server::serve(std::unique_ptr<io::Listener> listener) {
  listeners_.push_back(std::move(listener));
  group_.spawn("accept", accept_loop(*listeners_.back()));
}

io::Task<void> Server::serve_until_closed(std::unique_ptr<io::Listener> listener) {
  io::Listener& passed = *listener;
  co_await accept_loop(passed);
}

io::Task<void> Server::accept_loop(io::Listener& listener) {
  while (!stopping_) {
    auto stream = co_await listener.accept();
    if (stopping_) co_return;
    if (!stream) {
      if (stream.error().code == Errc::closed) co_return;
      // Out of descriptors or an aborted handshake: neither is a reason to stop serving.
      spdlog::warn("{}", stream.error().reason);
      co_await timers_.sleep(std::chrono::milliseconds(100));
      continue;
    }
    if (connections_.size() >= config_.max_connections) {
      (*stream)->close();
      continue;
    }
    auto connection = std::make_shared<Connection>(*this, std::move(*stream));
    connections_[connection.get()] = connection;
    group_.spawn("reader", Connection::read_loop(connection));
    group_.spawn("writer", Connection::write_loop(connection));
  }
}

io::Task<void> Server::stop() {
  stopping_ = true;
  for (const auto& listener : listeners_) listener->close();
  while (!connections_.empty()) {
    const auto connection = connections_.begin()->second;
    connection->close("the target stops");
  }
  co_await group_.join();
}

Result<void> Server::flush() {
  Result<void> result;
  for (const auto& [name, target] : targets_) {
    for (const auto& [lun, unit] : target->units) {
      if (auto done = unit->backing().flush(); !done) result = done;
    }
  }
  return result;
}

void Server::power_fail() {
  for (const auto& [name, target] : targets_) {
    for (const auto& [lun, unit] : target->units) {
      if (unit->cache()) unit->cache()->lose();
      unit->power_on();
    }
  }
  while (!connections_.empty()) {
    const auto connection = connections_.begin()->second;
    connection->close("power failure", true);
  }
}

void Server::request_logout(Target& target, uint16_t seconds) {
  for (const auto& [tsih, session] : sessions_) {
    if (session.target == &target) session.connection->request_logout(seconds);
  }
}

const scsi::Nexus* Server::intern(const std::string& initiator, const std::array<uint8_t, 6>& isid) {
  const auto key = std::make_pair(initiator, isid);
  const auto it = nexuses_.find(key);
  if (it != nexuses_.end()) return &it->second;
  if (nexuses_.size() >= kMaxNexuses) return nullptr;
  return &nexuses_.emplace(key, scsi::Nexus{static_cast<scsi::NexusId>(nexuses_.size() + 1), initiator, isid})
              .first->second;
}

void Server::later(Duration delay, std::function<void()> action) {
  timers_.schedule_after(delay, std::move(action));
}

scsi::Nexus Server::nexus_for(const std::string& initiator, const std::array<uint8_t, 6>& isid) {
  const scsi::Nexus* nexus = intern(initiator, isid);
  return nexus ? *nexus : scsi::Nexus{};
}

uint16_t Server::new_tsih() {
  do {
    ++last_tsih_;
  } while (last_tsih_ == 0 || sessions_.contains(last_tsih_));
  return last_tsih_;
}

Server::Attached Server::attach(Connection& connection, const LoginOutcome& outcome) {
  Attached result;
  if (sessions_.size() >= config_.max_connections) {
    result.status = LoginStatus::out_of_resources;
    result.reason = "too many sessions";
    return result;
  }
  Session session;
  session.connection = &connection;
  if (!outcome.discovery) {
    session.target = targets_.find(outcome.target)->second.get();
    session.nexus = intern(outcome.initiator, outcome.isid);
    if (!session.nexus) {
      result.status = LoginStatus::out_of_resources;
      result.reason = "too many initiator ports";
      return result;
    }
    size_t sessions = 0;
    for (auto it = sessions_.begin(); it != sessions_.end();) {
      const Session old = (it++)->second;
      if (old.target != session.target) continue;
      if (old.nexus == session.nexus) {
        old.connection->close("reinstated");
      } else {
        ++sessions;
      }
    }
    const uint32_t limit = session.target->config.max_sessions;
    if (limit > 0 && sessions >= limit) {
      result.status = LoginStatus::out_of_resources;
      result.reason = fmt::format("MaxSessions is {}", limit);
      return result;
    }
    for (const auto& [lun, unit] : session.target->units) unit->nexus_started(session.nexus->id);
  }
  session.tsih = new_tsih();
  sessions_[session.tsih] = session;
  result.tsih = session.tsih;
  result.target = session.target;
  result.nexus = session.nexus;
  return result;
}

void Server::detach(Connection& connection) {
  connections_.erase(&connection);
  const auto it = sessions_.find(connection.tsih());
  if (it == sessions_.end() || it->second.connection != &connection) return;
  const Session session = it->second;
  sessions_.erase(it);
  if (!session.target) return;
  for (const auto& [lun, unit] : session.target->units) unit->nexus_lost(session.nexus->id);
}

std::string Server::send_targets(std::string_view which, std::string_view current, std::string_view initiator,
                                 const io::Endpoint& local, const io::Endpoint& peer) const {
  std::string out;
  const std::string wanted = normal_name(which);
  for (const Target* target : by_tid_) {
    const TargetConfig& config = target->config;
    if (which == "All" ? !current.empty() : which.empty() ? config.rules.name != current : config.rules.name != wanted)
      continue;
    if (!may_see(config, initiator, local, peer)) continue;
    append_text(out, "TargetName", config.rules.name);
    append_text(out, "TargetAddress", fmt::format("{},{}", io::to_string(local), kPortalGroup));
  }
  return out;
}

void Server::target_reset(Target& target, bool cold, Connection* but) {
  for (const auto& [lun, unit] : target.units)
    unit->reset(cold ? scsi::Asc::power_on_or_reset : scsi::Asc::bus_device_reset);
  if (!cold) return;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const Session session = (it++)->second;
    if (session.target == &target && session.connection != but) session.connection->close("target cold reset");
  }
}

void Server::abort_tasks(scsi::LogicalUnit& unit, scsi::NexusId nexus) {
  for (const auto& [tsih, session] : sessions_) {
    if (session.nexus && session.nexus->id == nexus) session.connection->abort_tasks(&unit);
  }
}

}  // namespace pnfs::target
