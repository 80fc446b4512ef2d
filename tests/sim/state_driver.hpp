// Random clients against one metadata server and, beside it, a plain model of the RFC's rules (opens, share
// reservations, locks, delegations, leases, courtesy, restarts, exactly-once). Every answer must be what the model
// allows; a difference is told with its seed and step.
#pragma once

#include <set>

#include "common/fault/engine.hpp"
#include "tests/sim/state_actor.hpp"
#include "tests/unit/mds/state/model.hpp"

namespace pnfs::cluster {

using mds::state::Model;
using Marks = std::set<std::string>;

class StateDriver {
 public:
  struct Plan {
    int steps = 50;
    std::vector<std::string> faults;       // rules in force at the server: lost replies, or a planted bug
    std::function<void(Options&)> change;  // of the cluster: a planted bug
    bool trace = false;                    // keep what the server tells, for trace()
  };
  StateDriver(uint64_t seed, Plan plan, Marks& marks);
  ~StateDriver();

  // "" or what differed.
  std::string run();
  // One line of JSON for each operation and callback.
  std::string trace() const { return cluster_->trace().json_lines(); }

 private:
  static constexpr int kActors = 3;
  static constexpr uint64_t kFiles = 2;

  // ---- asking (state_driver.cpp)
  bool start();
  // With sa_cachethis; null when the request failed as a whole, which is a problem then.
  client::ReplyPtr ask(Actor& actor, std::shared_ptr<client::Compound> compound);
  void problem(std::string text);
  void same(std::string_view what, nfs::nfsstat4 expected, nfs::nfsstat4 got);
  void same_stateid(std::string_view what, const nfs::stateid4& expected, const nfs::stateid4& got);
  void mark(const char* name) { marks_.insert(name); }
  void idle(Duration time);
  void check_counts();
  Actor& any_actor();
  std::string any_owner() { return random_.chance(1, 2) ? "x" : "y"; }
  Model::Open* any_open(nfs::clientid4 client);
  bool live(nfs::clientid4 client) const;
  Actor* actor_of(nfs::clientid4 client);
  // Clients to whom the server can send callbacks.
  std::set<nfs::clientid4> reachable_clients();
  // `others` stand in the way of an operation that was answered: who of them lived by courtesy may be gone now, and is
  // when it succeeded.
  void settle(const std::vector<nfs::clientid4>& others, bool succeeded);
  // One that is or was in use, with any seqid.
  nfs::stateid4 any_stateid();

  // ---- steps (state_steps.cpp)
  void step();
  void pause();
  void open();
  void downgrade();
  void close();
  void lock();
  void unlock();
  void write_and_read();
  void test_and_free();
  void return_delegation();
  // Settles recalled delegations that have been out for longer than `age`.
  void overdue_delegations(Duration age);

  // ---- sessions, leases, restarts (state_recovery.cpp)
  void retry();
  void misuse_slots();
  void shrink_slots();
  void fall_asleep();
  void wake(Actor& actor);
  void restart_a_client();
  void restart_client(Actor& actor);
  void restart_server();
  void complete(Actor& actor);
  void reclaim(Actor& actor);
  bool reclaim_lock(Actor& actor, Model::Lock& held);

  SeededRandom random_;
  Plan plan_;
  Marks& marks_;
  SystemClock clock_;
  std::unique_ptr<fault::Engine> faults_;
  std::unique_ptr<Cluster> cluster_;
  std::vector<std::unique_ptr<Actor>> actors_;
  Model model_;
  std::vector<std::byte> root_;
  std::vector<std::vector<std::byte>> handles_;            // by file number
  std::array<std::array<uint8_t, 64>, kFiles> content_{};  // what was acknowledged as FILE_SYNC
  std::map<std::array<std::byte, 12>, TimePoint> recalled_at_;
  std::vector<nfs::stateid4> seen_;
  std::vector<const char*> history_;  // of steps
  std::string problem_;
  int step_ = 0;
};

}  // namespace pnfs::cluster
