// Two clients, three data servers and a metadata server over one LUN, and everything that can fail, from a seed: links
// between any two of them, processes, machines, the target with its write cache. After it all is mended, and everything
// that was read must have been what the model allows.
#pragma once

#include "common/fault/engine.hpp"
#include "tests/sim/pnfs_actor.hpp"

namespace pnfs::cluster {

class PnfsDriver {
 public:
  struct Plan {
    int steps = 30;                             // of each client
    std::map<std::string, std::vector<std::string>> faults;  // fault rules by server ("*": every one): a planted bug
    std::function<void(Options&)> change;       // of the cluster: a planted bug
    bool traced = false;
  };
  PnfsDriver(uint64_t seed, Plan plan, std::set<std::string>& marks);
  ~PnfsDriver();

  // "" or what went wrong.
  std::string run();
  // What happened last; with Plan::traced.
  std::string trace_end(size_t lines) const;

 private:
  static constexpr uint32_t kDataServers = 3;
  static constexpr int kClients = 2;

  Options options(uint64_t seed);
  void live();
  void settle();
  void choose_faults();
  void break_something();
  // A fault in the middle of a client's steps.
  void moment();
  void cut(const std::string& a, const std::string& b, Duration time);
  void lose_target(Duration time);
  // What a data server sends to the LUN comes late, while the MDS takes it for dead.
  void come_late();
  // A data server and a client are cut off from the MDS together; the other client goes on.
  void split();
  void kill_server(const std::string& name);
  void restart_servers(bool all);
  void kill_client();
  void collect_marks();
  bool clients_done() const;
  std::string any_server();
  // One that a client has a layout at, if there is one.
  std::string used_data_server();
  std::string any_node();
  Duration any_time();

  Plan plan_;
  std::set<std::string>& marks_;
  SeededRandom random_;
  fault::Vocabulary vocabulary_;
  SystemClock clock_;
  std::map<std::string, std::unique_ptr<fault::Engine>> engines_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<World> world_;
  std::vector<std::unique_ptr<PnfsActor>> clients_;
  std::map<std::string, TimePoint> dead_;  // servers, and when they come back
  std::set<std::pair<std::string, std::string>> cuts_;
  bool reservations_ = true;
  int troubles_ = 0;  // left
  TimePoint next_trouble_{};
  TimePoint late_until_{};  // commands may still be on the way
  std::optional<TimePoint> mds_died_;
  bool mended_ = false;  // nothing is cut any more, not even by a timer set before
  std::vector<std::string> history_;
  uint64_t outside_before_;  // errors outside of the RFC's table are counted for the process
};

}  // namespace pnfs::cluster
