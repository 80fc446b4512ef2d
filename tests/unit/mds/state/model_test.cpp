// Random clients against the table and the model at once: every answer must be the same. A failure names its seed.
#include "tests/unit/mds/state/model.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/base/random.hpp"
#include "mds/state/state_table.hpp"

namespace pnfs::mds::state {
namespace {

using namespace nfs;

constexpr int kRuns = 2000;
constexpr int kSteps = 120;

// What a batch must have met, or it proves nothing.
const std::set<std::string> kMarks{"share denied",
                                   "upgrade",
                                   "downgrade",
                                   "downgrade refused",
                                   "close",
                                   "lock denied",
                                   "lock upgraded",
                                   "lock split",
                                   "old stateid",
                                   "future stateid",
                                   "other's stateid",
                                   "wrong file",
                                   "wrong mode",
                                   "recall",
                                   "revoked used",
                                   "revoked freed",
                                   "delegation returned",
                                   "locks held",
                                   "lock freed",
                                   "client dropped",
                                   "lock went with its open",
                                   "delegation refused"};

class Driver {
 public:
  Driver(uint64_t seed, std::set<std::string>& marks) : random_(seed), marks_(marks), table_(9) {}

  // "" or what went wrong.
  std::string run() {
    for (int step = 0; step < kSteps && problem_.empty(); ++step) {
      switch (random_.below(12)) {
        case 0:
        case 1:
        case 2:
          open();
          break;
        case 3:
          downgrade();
          break;
        case 4:
          close();
          break;
        case 5:
        case 6:
          lock();
          break;
        case 7:
          unlock();
          break;
        case 8:
          check();
          break;
        case 9:
          delegation();
          break;
        case 10:
          free();
          break;
        case 11:
          if (random_.chance(1, 6)) drop();
          break;
      }
      if (!problem_.empty()) return fmt::format("step {}: {}", step, problem_);
    }
    return problem_;
  }

 private:
  clientid4 client() { return 1 + random_.below(3); }
  FileId file() { return 100 + random_.below(2); }
  std::string owner() { return random_.chance(1, 2) ? "x" : "y"; }
  void mark(const char* name) { marks_.insert(name); }
  void same(std::string_view what, nfsstat4 expected, nfsstat4 got) {
    if (expected != got && problem_.empty()) {
      problem_ = fmt::format("{}: the model says {}, the table {}", what, status_name(expected), status_name(got));
    }
  }
  void same_stateid(std::string_view what, const stateid4& expected, const stateid4& got) {
    if (expected != got && problem_.empty()) {
      problem_ = fmt::format("{}: the model has {}, the table {}", what, describe(expected), describe(got));
    }
  }

  // Any stateid that is or was in use, with any seqid.
  stateid4 any_stateid() {
    if (seen_.empty()) return StateKey{9, StateKind::open, 4242}.with_seqid(1);
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
  void note_use(clientid4 who, FileId where, const stateid4& s, nfsstat4 status) {
    const auto known = model_.known(s);
    if (status == NFS4ERR_OLD_STATEID) mark("old stateid");
    if (known && s.seqid > known->seqid) mark("future stateid");
    if (known && known->client != who) mark("other's stateid");
    if (known && known->client == who && known->file != where) mark("wrong file");
    if (status == NFS4ERR_DELEG_REVOKED) mark("revoked used");
  }

  void open() {
    const clientid4 who = client();
    const FileId where = file();
    const std::string by = owner();
    const auto access = static_cast<uint32_t>(1 + random_.below(3));
    const auto deny = static_cast<uint32_t>(random_.chance(2, 3) ? 0 : random_.below(4));
    const bool conflict = model_.share_conflict(who, by, where, access, deny);
    stateid4 out;
    const nfsstat4 got = table_.open({who, by, where, access, deny}, out).status;
    same("open", conflict ? NFS4ERR_SHARE_DENIED : NFS4_OK, got);
    if (table_.share_conflicts({who, by, where, access, deny}).empty() == conflict) problem_ = "share_conflicts";
    if (conflict) return mark("share denied");
    for (Model::Open& o : model_.opens) {
      if (o.client != who || o.owner != by || o.file != where) continue;
      o.opened.emplace_back(access, deny);
      ++o.stateid.seqid;
      same_stateid("open upgrade", o.stateid, out);
      return mark("upgrade");
    }
    if (out.seqid != 1 || model_.known(out)) problem_ = "a new open got a stateid that is not new";
    model_.opens.push_back({who, by, where, {{access, deny}}, out});
    seen_.push_back(out);
  }

  Model::Open* any_open() { return model_.opens.empty() ? nullptr : &model_.opens[random_.below(model_.opens.size())]; }

  void downgrade() {
    const clientid4 who = client();
    const FileId where = file();
    const Model::Open* target = any_open();
    const bool fitting = target != nullptr && random_.chance(3, 4);
    const stateid4 s = fitting ? target->stateid : any_stateid();
    const clientid4 as = fitting ? target->client : who;
    const FileId at = fitting ? target->file : where;
    const auto access = static_cast<uint32_t>(random_.below(4)), deny = static_cast<uint32_t>(random_.below(4));
    nfsstat4 expected = model_.use(as, at, s);
    Model::Open* open = nullptr;
    if (expected == NFS4_OK) {
      for (Model::Open& o : model_.opens) {
        if (o.stateid.other == s.other) open = &o;
      }
      expected =
          open == nullptr ? NFS4ERR_BAD_STATEID : (model_.may_downgrade(*open, access, deny) ? NFS4_OK : NFS4ERR_INVAL);
    }
    stateid4 out;
    same("downgrade", expected, table_.downgrade(as, at, s, access, deny, out).status);
    if (expected == NFS4ERR_INVAL) mark("downgrade refused");
    if (expected != NFS4_OK) return;
    mark("downgrade");
    std::erase_if(open->opened, [&](auto pair) { return (pair.first & ~access) != 0 || (pair.second & ~deny) != 0; });
    ++open->stateid.seqid;
    same_stateid("downgrade", open->stateid, out);
  }

  void close() {
    const Model::Open* target = any_open();
    const bool fitting = target != nullptr && random_.chance(1, 2);
    const stateid4 s = fitting ? target->stateid : any_stateid();
    const clientid4 as = fitting ? target->client : client();
    const FileId at = fitting ? target->file : file();
    nfsstat4 expected = model_.use(as, at, s);
    if (expected == NFS4_OK && model_.known(s)->kind != StateKind::open) expected = NFS4ERR_BAD_STATEID;
    same("close", expected, table_.close(as, at, s).status);
    if (expected != NFS4_OK) return;
    mark("close");
    const size_t locks = model_.locks.size();
    model_.close(s);
    if (model_.locks.size() < locks) mark("lock went with its open");
    same("use after close", NFS4ERR_BAD_STATEID, table_.check_io(as, at, s, 1).status);
  }

  void lock() {
    const Model::Open* target = any_open();
    if (target == nullptr) return;
    Model::Open from = *target;
    const bool exclusive = random_.chance(1, 2);
    const uint64_t a = random_.below(Model::kBytes), b = random_.below(Model::kBytes);
    const ByteRange range{std::min(a, b), std::max(a, b)};
    StateTable::LockArgs args{from.client, from.file, from.stateid, std::nullopt, range, exclusive};
    std::string by = owner();
    Model::Lock* mine = nullptr;
    for (Model::Lock& l : model_.locks) {
      if (l.client == from.client && l.owner == by && l.file == from.file) mine = &l;
    }
    if (mine != nullptr && random_.chance(1, 2)) {
      args.stateid = mine->stateid;
    } else {
      args.owner = by;
    }
    // The mode that counts is that of the open the stateid leads to.
    uint32_t access = from.access();
    if (!args.owner) access = model_.known(mine->stateid)->access;
    nfsstat4 expected = NFS4_OK;
    if ((access & (exclusive ? 2u : 1u)) == 0) {
      expected = NFS4ERR_OPENMODE;
      mark("wrong mode");
    } else if (model_.lock_conflict(from.client, by, from.file, range.begin, range.last, exclusive)) {
      expected = NFS4ERR_DENIED;
      mark("lock denied");
    }
    stateid4 out;
    StateTable::LockDenied denied;
    same("lock", expected, table_.lock(args, out, denied).status);
    StateTable::LockDenied untested;
    const nfsstat4 tested = table_.test_lock(from.client, by, from.file, range, exclusive, untested).status;
    if (expected != NFS4ERR_OPENMODE) same("lockt", expected, tested);
    if (expected != NFS4_OK) return;
    if (mine == nullptr) {
      model_.locks.push_back({from.client, by, from.file, from.stateid, out, {}});
      mine = &model_.locks.back();
      seen_.push_back(out);
      if (out.seqid != 1) problem_ = "a new lock stateid does not start at 1";
    } else {
      ++mine->stateid.seqid;
      same_stateid("lock", mine->stateid, out);
    }
    for (size_t i = range.begin; i <= range.last; ++i) {
      if (mine->bytes[i] == 1 && exclusive) mark("lock upgraded");
      mine->bytes[i] = exclusive ? 2 : 1;
    }
  }

  void unlock() {
    if (model_.locks.empty()) return;
    Model::Lock& target = model_.locks[random_.below(model_.locks.size())];
    const uint64_t a = random_.below(Model::kBytes), b = random_.below(Model::kBytes);
    const ByteRange range{std::min(a, b), std::max(a, b)};
    stateid4 out;
    same("locku", NFS4_OK, table_.unlock(target.client, target.file, target.stateid, range, out).status);
    const bool inside = range.begin > 0 && range.last + 1 < Model::kBytes && target.bytes[range.begin - 1] != 0 &&
                        target.bytes[range.last + 1] != 0;
    if (inside) mark("lock split");
    for (size_t i = range.begin; i <= range.last; ++i) target.bytes[i] = 0;
    ++target.stateid.seqid;
    same_stateid("locku", target.stateid, out);
  }

  void check() {
    const clientid4 who = client();
    const FileId where = file();
    const auto access = static_cast<uint32_t>(1 + random_.below(3));
    if (random_.chance(1, 4)) {
      bool denied = false;
      for (const Model::Open& o : model_.opens) denied |= o.file == where && (o.deny() & access) != 0;
      same("anonymous", denied ? NFS4ERR_LOCKED : NFS4_OK,
           table_.check_io(who, where, anonymous_stateid(), access).status);
      return;
    }
    const stateid4 s = any_stateid();
    const nfsstat4 expected = model_.io(who, where, s, access);
    if (expected == NFS4ERR_OPENMODE) mark("wrong mode");
    note_use(who, where, s, expected);
    same("check_io", expected, table_.check_io(who, where, s, access).status);
    same("test", model_.test(who, s), table_.test(who, s).status);
    bool revoked = false;
    for (const Model::Delegation& d : model_.delegations) revoked |= d.client == who && d.revoked;
    if (table_.has_revoked(who) != revoked) problem_ = "has_revoked";
  }

  void delegation() {
    const clientid4 who = client();
    const FileId where = file();
    if (random_.chance(1, 2)) {
      const bool write = random_.chance(1, 2);
      const bool may = model_.may_delegate(who, where, write);
      if (may != table_.may_delegate(who, where, write)) problem_ = "may_delegate";
      if (!may) return mark("delegation refused");
      const stateid4 s = table_.delegate(who, where, write);
      model_.delegations.push_back({who, where, write, s});
      seen_.push_back(s);
      return;
    }
    if (random_.chance(1, 2)) {
      const bool modifies = random_.chance(1, 2);
      size_t pending = 0, fresh = 0;
      for (Model::Delegation& d : model_.delegations) {
        if (d.file != where || d.client == who || d.revoked || (!d.write && !modifies)) continue;
        ++pending;
        if (!d.recalled) ++fresh;
        d.recalled = true;
      }
      const auto got = table_.recall_conflicts(who, where, modifies, TimePoint(Duration(1)));
      if (got.pending != pending || got.fresh.size() != fresh) problem_ = "recall_conflicts";
      if (fresh > 0) mark("recall");
      return;
    }
    if (model_.delegations.empty()) return;
    const size_t at = random_.below(model_.delegations.size());
    Model::Delegation& d = model_.delegations[at];
    if (random_.chance(1, 3)) {
      table_.revoke_delegation(d.stateid);
      d.revoked = true;
      return;
    }
    const nfsstat4 expected = model_.use(d.client, d.file, d.stateid);
    same("delegreturn", expected, table_.return_delegation(d.client, d.file, d.stateid).status);
    if (expected != NFS4_OK) return;
    mark("delegation returned");
    model_.delegations.erase(model_.delegations.begin() + static_cast<ptrdiff_t>(at));
  }

  void free() {
    const clientid4 who = client();
    const stateid4 s = any_stateid();
    nfsstat4 expected = model_.test(who, s);
    const auto known = model_.known(s);
    if (expected == NFS4ERR_DELEG_REVOKED) {
      expected = NFS4_OK;
      mark("revoked freed");
    } else if (expected == NFS4_OK && (known->kind != StateKind::lock || known->holds_bytes)) {
      expected = NFS4ERR_LOCKS_HELD;
      mark("locks held");
    }
    same("free_stateid", expected, table_.free(who, s).status);
    if (expected != NFS4_OK) return;
    if (known->kind == StateKind::lock) mark("lock freed");
    std::erase_if(model_.locks, [&](const Model::Lock& l) { return l.stateid.other == s.other; });
    std::erase_if(model_.delegations, [&](const Model::Delegation& d) { return d.stateid.other == s.other; });
  }

  void drop() {
    const clientid4 who = client();
    table_.drop_client(who);
    model_.drop(who);
    mark("client dropped");
    if (table_.has_state(who)) problem_ = "state of a dropped client is left";
    const auto counts = table_.counts();
    if (counts.opens != model_.opens.size() || counts.locks != model_.locks.size() ||
        counts.delegations != model_.delegations.size()) {
      problem_ = "counts differ";
    }
  }

  SeededRandom random_;
  std::set<std::string>& marks_;
  StateTable table_;
  Model model_;
  std::vector<stateid4> seen_;
  std::string problem_;
};

TEST(StateModelTest, TheTableAgreesWithThePlainModel) {
  std::set<std::string> marks;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    const std::string problem = Driver(seed, marks).run();
    ASSERT_EQ(problem, "") << "seed " << seed;
  }
  for (const std::string& mark : kMarks) EXPECT_TRUE(marks.contains(mark)) << "never met: " << mark;
}

}  // namespace
}  // namespace pnfs::mds::state
