// Whole COMPOUNDs against a metadata server that holds files, opens, locks and delegations of two clients. The input is
// a count and then operations as they are on the wire (SEQUENCE is put in front). Whatever comes: the reply decodes to
// its last byte, every status is one that RFC 8881 lets its operation return, and the server goes on serving.
//
// One server takes many inputs before a new one is made, so that what they leave behind meets what comes next.
#include "common/base/random.hpp"
#include "common/block/memory_block_store.hpp"
#include "common/compound/allowed_errors.hpp"
#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"
#include "common/nfs/valid_errors.hpp"
#include "common/volume/volume.hpp"
#include "common/xdr/random_value.hpp"
#include "mds/mds.hpp"
#include "testbed/client/file_system.hpp"
#include "tests/fuzz/target.hpp"

using namespace pnfs;
using namespace pnfs::nfs;

namespace {

constexpr int kInputsPerServer = 200;

struct World {
  io::Simulation sim{1};
  block::MemoryLun lun{{.bytes = 16ull << 20}};
  io::MemoryNetwork network{sim.timers(), sim.random()};
  io::Network& server_side = network.add_node("mds", {io::asio::ip::make_address("10.0.0.1")});
  io::Network& client_side = network.add_node("client", {io::asio::ip::make_address("10.0.0.2")});
  const io::Endpoint at = *io::parse_endpoint("10.0.0.1:2049");
  block::MemoryBlockStore store{sim.executor(), lun};
  std::unique_ptr<mds::Mds> mds;
  client::FileSystem ann{client_side, sim.timers(), sim.random(), {.owner = "ann"}};
  client::FileSystem bob{client_side, sim.timers(), sim.random(), {.owner = "bob"}};
  client::FilePtr of_ann, of_bob;
  int inputs = 0;

  World() {
    FUZZ_CHECK(sim.run(volume::mkfs(store, {}, sim.random(), sim.clock())));
    mds::Options options;
    options.listen = {at};
    mds = std::make_unique<mds::Mds>(
        options, mds::Seams{sim.executor(), sim.clock(), sim.timers(), sim.random(), server_side, store});
    FUZZ_CHECK(sim.run(mds->start()));
    FUZZ_CHECK(sim.run(ann.mount(at)));
    FUZZ_CHECK(sim.run(bob.mount(at)));
    FUZZ_CHECK(sim.run(ann.mkdir("d")));
    FUZZ_CHECK(sim.run(ann.symlink("s", "d")));
    of_ann = open(ann, "held");
    of_bob = open(bob, "f");
    FUZZ_CHECK(sim.run(bob.write(of_bob, 0, std::as_bytes(std::span("some text", 9)))));
  }
  ~World() {
    sim.run(ann.stop());
    sim.run(bob.stop());
    sim.run(mds->stop());
  }
  client::FilePtr open(client::FileSystem& fs, std::string name) {
    auto file = sim.run(fs.open(std::move(name), client::OpenHow::create_new()));
    FUZZ_CHECK(file);
    return *file;
  }

  // The reply's bytes after the RPC header; nullptr: the RPC layer refused.
  std::unique_ptr<rpc::Reply> ask(uint32_t count, std::span<const std::byte> operations) {
    const SEQUENCE4args sequence = bob.session().sequence_args(0);
    auto call = std::make_unique<rpc::Call>(NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, rpc::Credential::sys(0, 0));
    xdr::encode(call->args(), CompoundArgsHead{.minorversion = 1, .argarray_count = count + 1});
    call->args().u32(OP_SEQUENCE);
    xdr::encode(call->args(), sequence);
    call->args().raw(operations);
    auto reply = sim.run(bob.session().connection()->call(std::move(call), std::chrono::seconds(60)));
    if (!reply) {
      FUZZ_CHECK(reply.error().code == Errc::protocol);  // GARBAGE_ARGS: never a lost connection or no answer
      return nullptr;
    }
    return std::move(*reply);
  }
};

void check_reply(rpc::Reply& reply, World& world) {
  xdr::Decoder& in = reply.results();
  CompoundResHead head;
  FUZZ_CHECK(xdr::decode(in, head));
  nfsstat4 last = head.status;
  for (uint32_t i = 0; i < head.resarray_count; ++i) {
    uint32_t number = 0;
    FUZZ_CHECK(in.u32(number));
    const OpInfo* op = find_op(number);
    FUZZ_CHECK(op != nullptr);
    void* result = reply.arena().allocate(op->res->bytes);
    std::memset(result, 0, op->res->bytes);
    FUZZ_CHECK(op->res->decode(in, result));
    last = OpInfo::status_of(result);
    if (!may_return(op->name, last)) fuzz_failed(fmt::format("{} answers {}", op->name, status_name(last)).c_str());
    FUZZ_CHECK(last == NFS4_OK || i + 1 == head.resarray_count);
    if (i == 0 && number == OP_SEQUENCE && last == NFS4_OK) world.bob.session().slot_used(0);
  }
  FUZZ_CHECK(last == head.status);
  FUZZ_CHECK(in.left() == 0);
}

std::unique_ptr<World> world;

World& current_world() {
  if (!world || ++world->inputs > kInputsPerServer) {
    world.reset();
    world = std::make_unique<World>();
  }
  return *world;
}

class Seed {
 public:
  Seed() : encoder_(arena_) {}
  template <class Args>
  Seed& add(nfs_opnum4 op, const Args& args) {
    encoder_.u32(op);
    xdr::encode(encoder_, args);
    ++count_;
    return *this;
  }
  Seed& add(nfs_opnum4 op) {
    encoder_.u32(op);
    ++count_;
    return *this;
  }
  Seed& at(std::string_view name) {
    add(OP_PUTROOTFH);
    return name.empty() ? *this : add(OP_LOOKUP, LOOKUP4args{{name}});
  }
  Seed& random(const OpInfo& op, pnfs::Random& from) {
    void* value = arena_.allocate(op.args->bytes);
    std::memset(value, 0, op.args->bytes);
    xdr::fill_random(xdr::FieldView(*op.args, value), from, arena_);
    encoder_.u32(op.number);
    op.args->encode(encoder_, value);
    ++count_;
    return *this;
  }
  FuzzInput input() {
    FuzzInput bytes = encoder_.flatten();
    bytes.insert(bytes.begin(), static_cast<std::byte>(count_));
    return bytes;
  }

 private:
  Arena arena_;
  xdr::Encoder encoder_;
  uint32_t count_ = 0;
};

OPEN4args open_args(uint32_t access, std::string_view create) {
  OPEN4args args;
  args.share_access = access;
  args.owner.owner.bytes = std::as_bytes(std::span(create));
  args.openhow.opentype = create.empty() ? OPEN4_NOCREATE : OPEN4_CREATE;
  args.claim.claim = create.empty() ? CLAIM_FH : CLAIM_NULL;
  args.claim.file.text = create;
  return args;
}

// What clients really send, with the handles and stateids of the world.
void add_sensible(std::vector<FuzzInput>& seeds, World& w) {
  const stateid4 current{.seqid = 1};
  const stateid4 of_bob = w.of_bob->stateid, of_ann = w.of_ann->stateid, delegation = w.of_bob->delegation_stateid;
  const bitmap4 attributes{FATTR4_TYPE,           FATTR4_CHANGE, FATTR4_SIZE,        FATTR4_FILEHANDLE,
                           FATTR4_MODE,           FATTR4_OWNER,  FATTR4_TIME_MODIFY, FATTR4_SUPPORTED_ATTRS,
                           FATTR4_FS_LAYOUT_TYPES};
  const auto data = std::as_bytes(std::span("new text", 8));
  LOCK4args lock;
  lock.locktype = WRITEW_LT;
  lock.length = 100;
  lock.locker.new_lock_owner = true;
  lock.locker.open_owner.open_stateid = current;
  lock.locker.open_owner.lock_owner.owner.bytes = data;
  const auto push = [&](Seed& seed) { seeds.push_back(seed.input()); };
  push(Seed()
           .at("f")
           .add(OP_OPEN, open_args(3, ""))
           .add(OP_WRITE, WRITE4args{current, 5, FILE_SYNC4, {data}})
           .add(OP_READ, READ4args{current, 0, 100})
           .add(OP_LOCK, lock)
           .add(OP_LOCKU, LOCKU4args{WRITE_LT, 0, current, 0, 50})
           .add(OP_FREE_STATEID, FREE_STATEID4args{current}));
  push(Seed()
           .at("")
           .add(OP_OPEN, open_args(2, "new"))
           .add(OP_GETFH)
           .add(OP_GETATTR, GETATTR4args{attributes})
           .add(OP_SAVEFH)
           .add(OP_PUTROOTFH)
           .add(OP_LINK, LINK4args{{"other"}})
           .add(OP_RESTOREFH)
           .add(OP_CLOSE, CLOSE4args{0, current}));
  push(Seed().at("held").add(OP_OPEN, open_args(1, "")).add(OP_READ, READ4args{current, 0, 10}));
  push(Seed().at("").add(OP_SAVEFH).add(OP_RENAME, RENAME4args{{"f"}, {"g"}}).add(OP_REMOVE, REMOVE4args{{"g"}}));
  push(Seed().at("d").add(OP_READDIR, READDIR4args{0, {}, 4096, 4096, attributes}).add(OP_LOOKUPP).add(OP_GETFH));
  push(Seed().at("s").add(OP_READLINK).add(OP_GETATTR, GETATTR4args{attributes}));
  push(Seed().at("f").add(OP_DELEGRETURN, DELEGRETURN4args{delegation}).add(OP_COMMIT, COMMIT4args{0, 0}));
  push(Seed().at("f").add(OP_LAYOUTGET, LAYOUTGET4args{false, LAYOUT4_NFSV4_1_FILES, LAYOUTIOMODE4_RW, 0,
                                                       NFS4_UINT64_MAX, 4096, of_bob, 4096}));
  push(Seed()
           .at("held")
           .add(OP_LOCKT, LOCKT4args{READ_LT, 0, 100, {0, {data}}})
           .add(OP_SECINFO_NO_NAME, secinfo_style4{}));
  for (const stateid4& stateid : {of_bob, of_ann, delegation, stateid4{}}) {
    push(Seed()
             .at("f")
             .add(OP_READ, READ4args{stateid, 0, 9})
             .add(OP_WRITE, WRITE4args{stateid, 0, UNSTABLE4, {data}})
             .add(OP_SETATTR, SETATTR4args{stateid, {}})
             .add(OP_CLOSE, CLOSE4args{0, stateid}));
    push(Seed().at("f").add(OP_OPEN_DOWNGRADE, OPEN_DOWNGRADE4args{stateid, 0, 1, 0}));
  }
}

}  // namespace

std::vector<FuzzInput> fuzz_seeds() {
  std::vector<FuzzInput> seeds;
  {
    World w;
    add_sensible(seeds, w);
  }
  SeededRandom random(1);
  for (const OpInfo& op : operations()) {
    for (const std::string_view place : {"f", "d", "held"})
      seeds.push_back(Seed().at(place).random(op, random).input());
  }
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A READ may ask for as much as it likes; what does not come in a record of this size is the transport's to refuse.
  if (size == 0 || size > (1u << 16)) return 0;
  World& w = current_world();
  const std::span<const std::byte> operations(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  if (const auto reply = w.ask(data[0] % 64, operations)) check_reply(*reply, w);
  FUZZ_CHECK(compound::errors_outside_table() == 0);
  // The session may be gone: that was bob's own doing. Ann must be served in any case.
  const auto seen = w.sim.run(w.ann.getattr(""));
  FUZZ_CHECK(seen);
  if (!w.sim.run(w.bob.session().run(client::Compound::in_session()))) world.reset();
  return 0;
}
