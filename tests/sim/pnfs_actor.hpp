// A client of the pNFS simulation: writes, reads, commits and truncates shared files through layouts and through the
// metadata server, and does after a failure what RFC 8881 13 lets a client do: returns the layout, resends through the
// MDS, writes again what a changed verifier may have lost. It tells the model everything.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "testbed/client/callback_service.hpp"
#include "testbed/client/layout.hpp"
#include "testbed/client/session.hpp"
#include "testbed/cluster/cluster.hpp"
#include "tests/sim/pnfs_model.hpp"

namespace pnfs::cluster {

// What the clients of one run share.
struct World {
  World(Cluster& cluster, uint64_t seed, std::set<std::string>& marks) : cluster(cluster), random(seed), marks(marks) {}
  Cluster& cluster;
  SeededRandom random;
  std::set<std::string>& marks;
  DataModel model;
  std::map<client::Fh, DataModel::FileNo> files;  // by the MDS's filehandle
  uint64_t mds_lives = 1;
  bool crowded = false;                               // everybody wants the same few cells of one file
  Duration call_timeout = std::chrono::seconds(3);  // of the clients
  bool over = false;
  std::string problem;
  // Between two steps of a client: something may fail right here.
  std::function<void()> moment;

  void fail(std::string what) {
    if (problem.empty()) problem = std::move(what);
    over = true;
  }
  void mark(const char* name) { marks.insert(name); }
  DataModel::FileNo file_of(const client::Fh& fh) {
    auto [it, fresh] = files.try_emplace(fh, 0);
    if (fresh) it->second = model.add_file();
    return it->second;
  }
  uint32_t below(uint64_t limit) { return static_cast<uint32_t>(random.below(limit)); }
};

class PnfsActor final : public client::CallbackHandler {
 public:
  PnfsActor(World& world, std::string name);
  ~PnfsActor() override;

  // Random steps until they are done or the world is over.
  void start(int steps);
  bool done() const { return done_; }
  // What it is doing and since when, for a run that does not end.
  std::string state() const;
  // Ends what runs. After it: destruction, or reborn().
  io::Task<void> stop();
  // The client machine starts anew.
  void reborn();
  // For so long it writes more than anything else, under the layouts that it has, and goes on when its steps are done.
  void keep_busy(Duration time);
  // Another thread of the machine: for so long it reads under the layouts that are there, and asks the MDS for nothing.
  void read_on(Duration time);
  // A data server that it would send a write to right now.
  std::optional<io::Endpoint> writes_at() const;
  // The data server's process is gone: nothing that was sent to it arrives any more.
  void data_server_died(const io::Endpoint& at);
  // Reads every file, through the MDS and through layouts.
  io::Task<void> verify();

 private:
  using WriteId = DataModel::WriteId;
  struct Uncommitted {
    WriteId write;
    io::Endpoint at;  // the MDS's own address: written through it
    nfs::verifier4 verifier;
    uint32_t end = 0;    // cells
    uint64_t since = 0;  // it began, for the model
  };
  struct File {
    std::string name;
    client::Fh fh;
    DataModel::FileNo number = 0;
    bool open = false;
    bool writable = false;
    nfs::stateid4 stateid;
    std::optional<client::Layout> layout;
    uint64_t layout_life = 0;  // of the MDS
    std::vector<Uncommitted> uncommitted;
    uint32_t dirty_cells = 0;      // end of what no LAYOUTCOMMIT has told
    std::set<WriteId> on_the_way;  // to data servers, under the present stateid
    int users = 0;
    bool recalled = false;
  };
  struct DataServer {
    std::shared_ptr<client::Session> session;  // a request under way keeps the one it runs in
    bool given_up = false;       // an old request may still be on its way to it
    std::set<WriteId> orphans;  // those requests
  };
  using Build = std::function<std::shared_ptr<client::Compound>()>;
  struct Answer {
    client::ReplyPtr reply;  // null: none; the world is over, or (data servers) it was given up
    nfs::nfsstat4 status = nfs::NFS4_OK;
    bool ok() const { return reply != nullptr && status == nfs::NFS4_OK; }
    bool refused() const { return reply != nullptr && status != nfs::NFS4_OK; }
  };

  io::Task<nfs::nfsstat4> callback(nfs::nfs_cb_opnum4 op, const void* args, void* res) override;
  io::TimerQueue& timers() { return world_.cluster.sim().timers(); }
  io::Task<void> pause(Duration time) { return timers().sleep(time); }

  // ---- sessions (pnfs_actor.cpp)
  client::SessionSetup setup_for(const io::Endpoint& at, bool data_server);
  // The MDS answers in the end, whatever happens; DELAY and GRACE are waited out.
  io::Task<Answer> ask(Build build);
  io::Task<void> recover();
  io::Task<void> reclaim(File& file);
  io::Task<Answer> ask_data_server(io::Endpoint at, Build build);
  io::Task<bool> reach(io::Endpoint at);
  void give_up(const io::Endpoint& at);
  io::Task<void> bury(std::set<WriteId> orphans);
  bool any_given_up() const;

  // ---- files
  io::Task<bool> open(File& file, bool writable);
  io::Task<void> close(File& file);
  io::Task<void> downgrade(File& file);
  io::Task<void> remove(File& file);
  io::Task<void> truncate(File& file, uint32_t cells);
  void forget(File& file);
  // Nothing sent under the file's stateid or layout arrives any more.
  void fence_writes(File& file);

  // ---- data (pnfs_actor_io.cpp)
  struct Place {
    io::Endpoint at;
    client::Fh fh;
    uint64_t offset = 0;
    uint32_t cells = 0;
  };
  io::Task<bool> get_layout(File& file, bool rw);
  std::optional<Place> known_place(const File& file, uint32_t cell, uint32_t count, bool rw) const;
  io::Task<std::optional<Place>> place_of(File& file, uint32_t cell, uint32_t count, bool rw);
  io::Task<void> return_layout(File& file);
  io::Task<void> return_recalled(File& file);
  io::Task<void> write(File& file, uint32_t cell, uint32_t count, nfs::stable_how4 stable, bool by_layout);
  io::Task<bool> write_by_layout(File& file, uint32_t& cell, uint32_t& count, nfs::stable_how4 stable);
  io::Task<void> write_by_mds(File& file, uint32_t cell, uint32_t count, nfs::stable_how4 stable);
  io::Task<void> read(File& file, uint32_t cell, uint32_t count, bool by_layout);
  io::Task<Answer> read_at(File& file, Place place);
  void judge_read(const File& file, uint32_t cell, uint32_t cells, DataModel::ReadId id, const Answer& answer, const std::string& from);
  io::Task<void> commit(File& file);
  io::Task<void> layout_commit(File& file);
  // With a stateid that is dead: no data server may take it.
  io::Task<void> probe(client::Fh fh, DataModel::FileNo number, nfs::stateid4 stateid, std::vector<Place> places);
  std::vector<Place> places_of(File& file);

  // ---- steps (pnfs_actor_steps.cpp)
  io::Task<void> work(int steps);
  io::Task<void> keep_reading(Duration time);
  io::Task<void> write_on();
  io::Task<void> renew();
  io::Task<void> step();
  io::Task<void> overtake(File& file);
  File& any_file() { return files_[world_.crowded ? 0 : world_.below(files_.size())]; }
  uint32_t any_cell() { return world_.below(world_.crowded ? 8 : DataModel::kCells); }
  void doing(std::string what);

  World& world_;
  std::string name_;
  io::Network& network_;
  client::CallbackService callbacks_;
  std::unique_ptr<rpc::Client> rpc_;
  std::unique_ptr<io::TaskGroup> tasks_;
  std::unique_ptr<client::Session> mds_;
  std::map<io::Endpoint, DataServer> data_servers_;
  std::map<nfs::deviceid4, client::Device> devices_;
  std::vector<File> files_;
  uint64_t incarnation_ = 0;
  uint64_t ds_incarnation_ = 0;
  uint64_t session_life_ = 0;  // of the MDS, when the client id was made
  bool recovering_ = false;
  bool complete_ = false;  // the session may be used
  std::set<WriteId> at_mds_;  // on the way to it
  // Of the incarnation before: what was on its way to data servers, and to the MDS.
  std::set<WriteId> ghosts_, mds_ghosts_;
  uint64_t ghost_life_ = 0;
  io::Event changed_;
  bool done_ = false;
  TimePoint busy_until_{};
  std::string doing_ = "nothing";
  TimePoint since_{};
};

}  // namespace pnfs::cluster
