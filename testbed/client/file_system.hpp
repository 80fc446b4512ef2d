// A mounted export as tests and scenarios use it: names, files, data through the MDS or through a layout, callbacks and
// recovery. One object is one client machine.
//
// Paths are relative to the export's root, "dir/file"; "" is the root itself. Failures are nfsstat4 with the operation,
// as the server said them; NFS4ERR_DELAY and NFS4ERR_GRACE are tried again for Options::patience, and a server that
// forgot the session, or restarted, is recovered from (opens are reclaimed).
//
// Threading: the executor's thread. The seams outlive the object; unmount() or stop() ends before it is destroyed.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "common/base/random.hpp"
#include "common/io/task_group.hpp"
#include "testbed/client/attributes.hpp"
#include "testbed/client/callback_service.hpp"
#include "testbed/client/layout.hpp"
#include "testbed/client/session.hpp"

namespace pnfs::client {

struct Options {
  std::string owner = "pnfslab client";
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t io_bytes = 256u << 10;  // largest READ and WRITE; the server's limits may make it smaller
  uint32_t slots = 16;
  bool back_channel = true;
  Duration timeout = std::chrono::seconds(30);
  Duration patience = std::chrono::seconds(120);  // how long NFS4ERR_DELAY and NFS4ERR_GRACE are put up with
  // 0: no lease is kept alive by this client on its own.
  Duration renew_every = std::chrono::seconds(0);
  bool wants_device_notices = true;
  // A client that does wrong: recalls of layouts are answered so and nothing is returned.
  std::optional<nfs::nfsstat4> layout_recall_answer;
};

// What a CB_LAYOUTRECALL or CB_NOTIFY_DEVICEID said, for tests.
struct SeenRecall {
  uint32_t type = 0;  // LAYOUT4_RET_REC_
  nfs::layoutiomode4 iomode = nfs::LAYOUTIOMODE4_ANY;
  bool changed = false;
  uint64_t offset = 0;
  uint64_t length = 0;
  nfs::stateid4 stateid;
};
struct SeenNotice {
  nfs::deviceid4 device;
  bool deleted = false;
  bool immediate = false;
};

struct OpenFile {
  std::string path;
  Fh fh;
  nfs::stateid4 stateid;
  uint32_t access = 0;  // OPEN4_SHARE_ACCESS_
  uint32_t deny = 0;
  std::string owner;
  bool open = true;
  nfs::open_delegation_type4 delegation = nfs::OPEN_DELEGATE_NONE;
  nfs::stateid4 delegation_stateid;
  // What CB_GETATTR is told under a write delegation; nullopt: nothing, so that the server recalls it.
  struct Held {
    uint64_t change = 0;
    uint64_t size = 0;
  };
  std::optional<Held> held;

  std::optional<Layout> layout;
  uint64_t written_end = 0;       // of what was written through the layout and not told to the MDS yet
  std::set<uint64_t> dirty_from;  // not empty: written through the layout since the last LAYOUTCOMMIT
  int layout_users = 0;           // I/O through the layout that is on its way
  bool layout_recalled = false;
  // Data servers (in the order in which they were first used) with UNSTABLE data: the verifier of their replies, and
  // the filehandle that they know the file by, which a later layout may not have.
  struct Uncommitted {
    nfs::verifier4 verifier;
    Fh fh;
  };
  std::map<size_t, Uncommitted> uncommitted;
};
using FilePtr = std::shared_ptr<OpenFile>;

struct OpenHow {
  uint32_t access = nfs::OPEN4_SHARE_ACCESS_READ;
  uint32_t deny = nfs::OPEN4_SHARE_DENY_NONE;
  bool create = false;
  std::optional<nfs::createmode4> mode;  // UNCHECKED4 unless set
  NewAttributes attributes;
  std::string owner = "owner";

  static OpenHow read() { return {}; }
  static OpenHow write() { return {.access = nfs::OPEN4_SHARE_ACCESS_BOTH}; }
  static OpenHow create_new(uint32_t mode = 0644);
};

struct Written {
  uint32_t bytes = 0;
  nfs::stable_how4 committed = nfs::UNSTABLE4;
  nfs::verifier4 verifier;
};
struct ReadData {
  std::vector<std::byte> bytes;
  bool eof = false;
};
struct DirectoryEntry {
  std::string name;
  uint64_t cookie = 0;
  Attributes attributes;
};

class FileSystem final : public CallbackHandler {
 public:
  FileSystem(io::Network& network, io::TimerQueue& timers, Random& random, Options options = {});
  ~FileSystem() override;

  io::Task<Outcome<>> mount(io::Endpoint server);
  // Returns layouts and delegations, closes files, destroys sessions and client ids.
  io::Task<Outcome<>> unmount();
  // Ends everything without a word to the servers (the client machine died). Before destruction unless unmounted.
  io::Task<void> stop();

  Session& session() { return *session_; }
  CallbackService& callbacks() { return callback_service_; }
  // May be changed while it is mounted, between calls.
  Options& options() { return options_; }
  const std::vector<SeenRecall>& recalls() const { return recalls_; }
  const std::vector<SeenNotice>& notices() const { return notices_; }
  const Fh& root() const { return root_; }

  // ---- names ----
  io::Task<Outcome<Fh>> lookup(std::string path);
  io::Task<Outcome<Attributes>> getattr(std::string path);
  io::Task<Outcome<Attributes>> getattr_fh(Fh fh, nfs::bitmap4 which = Attributes::usual());
  io::Task<Outcome<>> setattr(std::string path, NewAttributes attributes);
  io::Task<Outcome<uint32_t>> access(std::string path, uint32_t wanted);  // ACCESS4_
  io::Task<Outcome<>> mkdir(std::string path, uint32_t mode = 0755);
  io::Task<Outcome<>> symlink(std::string path, std::string target);
  io::Task<Outcome<std::string>> readlink(std::string path);
  io::Task<Outcome<>> remove(std::string path);
  io::Task<Outcome<>> rename(std::string from, std::string to);
  io::Task<Outcome<>> link(std::string existing, std::string path);
  io::Task<Outcome<std::vector<DirectoryEntry>>> readdir(std::string path);

  // ---- files, through the MDS ----
  io::Task<Outcome<FilePtr>> open(std::string path, OpenHow how);
  io::Task<Outcome<>> close(FilePtr file);
  io::Task<Outcome<ReadData>> read(FilePtr file, uint64_t offset, uint32_t count);
  // One WRITE: at most io_bytes() of it.
  io::Task<Outcome<Written>> write(FilePtr file, uint64_t offset, std::span<const std::byte> data,
                                   nfs::stable_how4 stable = nfs::UNSTABLE4);
  io::Task<Outcome<nfs::verifier4>> commit(FilePtr file);
  io::Task<Outcome<>> truncate(FilePtr file, uint64_t size);
  uint32_t io_bytes() const;

  // ---- files, through a layout ----
  io::Task<Outcome<>> layoutget(FilePtr file, nfs::layoutiomode4 iomode, uint64_t offset = 0,
                                uint64_t length = nfs::NFS4_UINT64_MAX, uint64_t minlength = 4096);
  io::Task<Outcome<const Device*>> device(nfs::deviceid4 id);
  // All of the data, unit by unit to the data server each belongs to. Gets a layout when there is none.
  io::Task<Outcome<>> write_striped(FilePtr file, uint64_t offset, std::span<const std::byte> data,
                                    nfs::stable_how4 stable = nfs::UNSTABLE4);
  io::Task<Outcome<ReadData>> read_striped(FilePtr file, uint64_t offset, uint32_t count);
  // COMMIT at each data server that has uncommitted data. NFS4ERR_IO with op COMMIT: a verifier changed, the data may
  // be lost and must be written again.
  io::Task<Outcome<>> commit_striped(FilePtr file);
  io::Task<Outcome<>> layoutcommit(FilePtr file);
  io::Task<Outcome<>> layoutreturn(FilePtr file);
  // The session with a data server, made when first asked for.
  io::Task<Outcome<Session*>> data_server(std::vector<io::Endpoint> addresses);
  size_t data_servers() const { return data_servers_.size(); }

  // ---- anything else ----
  // Builds and runs a compound until the answer is neither DELAY nor GRACE; recovers the session when it must.
  using Build = std::function<std::shared_ptr<Compound>()>;
  io::Task<Outcome<ReplyPtr>> run(Build build);
  // After a restart of the server, or an expired lease: a new session, opens reclaimed, RECLAIM_COMPLETE.
  io::Task<Outcome<>> recover();
  uint32_t recoveries() const { return recoveries_; }

  io::Task<nfs::nfsstat4> callback(nfs::nfs_cb_opnum4 op, const void* args, void* res) override;

 private:
  io::Task<Outcome<>> establish();
  io::Task<Outcome<>> reclaim_complete();
  io::Task<Outcome<>> reclaim(FilePtr file);
  io::Task<void> renew();
  io::Task<void> return_recalled(FilePtr file);
  io::Task<void> return_all_recalled(std::vector<FilePtr> files, nfs::layoutreturn_type4 type);
  io::Task<void> settle_layout(FilePtr file);
  void take_notices(const nfs::CB_NOTIFY_DEVICEID4args& args);
  io::Task<void> return_delegation(FilePtr file);
  nfs::nfsstat4 recall_layout(const nfs::CB_LAYOUTRECALL4args& args);
  nfs::nfsstat4 recall_delegation(const nfs::CB_RECALL4args& args);
  nfs::nfsstat4 tell_attributes(const nfs::CB_GETATTR4args& args, nfs::CB_GETATTR4res& res);
  void take_open(OpenFile& file, const nfs::OPEN4resok& res);
  std::vector<FilePtr> open_files();
  SessionSetup setup_for(io::Endpoint server, bool data_server) const;

  struct Target {
    Session* session;
    Fh fh;
    uint64_t offset;
    uint64_t bytes;
  };
  // Where the next bytes go: at most to the end of a stripe unit and io_bytes().
  io::Task<Outcome<Target>> target_of(FilePtr file, uint64_t offset, uint64_t left, nfs::layoutiomode4 iomode);
  io::Task<Outcome<ReplyPtr>> run_at(Session& session, Build build);
  io::Task<Outcome<uint64_t>> size_of(FilePtr file);
  size_t number_of(const Session* session) const;

  io::TimerQueue& timers_;
  Options options_;
  nfs::verifier4 verifier_;
  CallbackService callback_service_;
  rpc::Client rpc_;
  io::TaskGroup tasks_;
  std::unique_ptr<Session> session_;
  Fh root_;
  std::vector<std::weak_ptr<OpenFile>> files_;
  std::map<nfs::deviceid4, Device> devices_;
  struct DataServer {
    std::vector<io::Endpoint> addresses;
    std::unique_ptr<Session> session;
  };
  std::vector<DataServer> data_servers_;
  bool connecting_ = false;  // to a data server
  io::Event connected_;
  io::Event layout_idle_;
  bool recovering_ = false;
  io::Event recovered_;
  uint32_t recoveries_ = 0;
  uint32_t exclusive_creates_ = 0;
  std::vector<SeenRecall> recalls_;
  std::vector<SeenNotice> notices_;
  std::array<std::byte, 16> told_{};  // the last answer to CB_GETATTR, until it has left
};

}  // namespace pnfs::client
