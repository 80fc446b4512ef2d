// The iSCSI target server: targets with their logical units, the sessions at them, the listeners.
// One thread: everything runs on the executor of the TimerQueue passed in. stop() ends and joins all it started; a
// server must be stopped before it is destroyed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/random.hpp"
#include "common/base/result.hpp"
#include "common/io/stream.hpp"
#include "common/io/task_group.hpp"
#include "common/io/timer_queue.hpp"
#include "testbed/target/buffer_pool.hpp"
#include "testbed/target/fault_hook.hpp"
#include "testbed/target/login.hpp"
#include "testbed/target/observer.hpp"
#include "testbed/target/scsi/logical_unit.hpp"

namespace pnfs::target {

class Connection;

struct TargetConfig {
  LoginRules rules;  // name in normal form
  uint32_t queue_depth = 128;
  uint32_t max_sessions = 0;     // 0: no limit
  uint32_t nop_interval_s = 30;  // idle this long: are you there?
  uint32_t nop_timeout_s = 30;   // no answer this long: the session is gone
  // Which initiators may log in; not set: all.
  std::function<bool(std::string_view initiator, const io::Endpoint& peer)> allows_initiator;
  // Through which of our addresses it is visible; not set: all.
  std::function<bool(const io::Endpoint& local)> allows_portal;
};

struct Target {
  uint32_t tid = 0;  // from 1, in order of configuration, as IET numbers them
  TargetConfig config;
  std::map<uint32_t, std::unique_ptr<scsi::LogicalUnit>> units;
  std::vector<uint32_t> luns;
};

struct ServerConfig {
  LoginRules discovery;
  uint32_t login_timeout_s = 15;
  uint32_t max_connections = 1024;
};

class Server final : public scsi::LogicalUnit::Observer {
 public:
  Server(io::TimerQueue& timers, Random& random, ServerConfig config);
  ~Server() override;

  // --- before start
  // Errc::exists: two targets of one name.
  Result<Target*> add_target(TargetConfig config);
  // Restores registrations from the unit's aptpl_path. Errc::exists, or Errc::corrupt from that file.
  Result<void> add_unit(Target& target, scsi::UnitConfig config, std::unique_ptr<Backing> backing);
  void set_fault_hook(FaultHook* hook) { fault_hook_ = hook; }
  void set_observer(TargetObserver* observer) { watcher_ = observer; }

  void serve(std::unique_ptr<io::Listener> listener);
  // One that somebody else may close: until accept() fails with Errc::closed.
  io::Task<void> serve_until_closed(std::unique_ptr<io::Listener> listener);

  // Closes listeners and sessions and joins. Caches are not flushed: see flush().
  io::Task<void> stop();
  // An orderly stop makes all written data durable; a kill must not call this.
  Result<void> flush();
  // As by a power failure: every session ends, volatile caches are lost, registrations without APTPL too.
  void power_fail();
  // Asks every session at the target to log out within `seconds` (RFC 7143 11.9.1, event 1).
  void request_logout(Target& target, uint16_t seconds);

  const std::map<std::string, std::unique_ptr<Target>, std::less<>>& targets() const { return targets_; }
  // IET's /proc views, as its users know them.
  std::string volume_view() const;
  std::string session_view() const;

  // --- for Connection
  io::TimerQueue& timers() { return timers_; }
  Random& random() { return random_; }
  BufferPool& pool() { return pool_; }
  FaultHook* fault_hook() { return fault_hook_; }
  TargetObserver* watcher() { return watcher_; }
  const ServerConfig& config() const { return config_; }
  std::unique_ptr<LoginDirectory> directory_for(const io::Endpoint& local, const io::Endpoint& peer);
  struct Attached {
    LoginStatus status = LoginStatus::success;
    std::string reason;
    uint16_t tsih = 0;
    Target* target = nullptr;  // nullptr for discovery
    const scsi::Nexus* nexus = nullptr;
  };
  // A session of the same initiator port at the same target is ended first (RFC 7143 6.3.5).
  Attached attach(Connection& connection, const LoginOutcome& outcome);
  void detach(Connection& connection);
  std::string send_targets(std::string_view which, std::string_view current, std::string_view initiator,
                           const io::Endpoint& local, const io::Endpoint& peer) const;
  void target_reset(Target& target, bool cold, Connection* but);

  // --- scsi::LogicalUnit::Observer
  void abort_tasks(scsi::LogicalUnit& unit, scsi::NexusId nexus) override;
  void later(Duration delay, std::function<void()> action) override;
  scsi::Nexus nexus_for(const std::string& initiator, const std::array<uint8_t, 6>& isid) override;

 private:
  struct Session {
    uint16_t tsih = 0;
    Target* target = nullptr;
    const scsi::Nexus* nexus = nullptr;
    Connection* connection = nullptr;
  };
  class Directory;

  io::Task<void> accept_loop(io::Listener& listener);
  const scsi::Nexus* intern(const std::string& initiator, const std::array<uint8_t, 6>& isid);
  uint16_t new_tsih();

  io::TimerQueue& timers_;
  Random& random_;
  ServerConfig config_;
  BufferPool pool_;
  FaultHook* fault_hook_ = nullptr;
  TargetObserver* watcher_ = nullptr;
  std::map<std::string, std::unique_ptr<Target>, std::less<>> targets_;
  std::vector<Target*> by_tid_;
  std::map<std::pair<std::string, std::array<uint8_t, 6>>, scsi::Nexus> nexuses_;
  std::map<uint16_t, Session> sessions_;
  std::map<Connection*, std::shared_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  io::TaskGroup group_;
  uint16_t last_tsih_ = 0;
  bool stopping_ = false;
};

}  // namespace pnfs::target
