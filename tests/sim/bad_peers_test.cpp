// Peers that send nonsense to the NFS ports: their connection alone suffers, and the trace says why.
#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;

struct BadPeers : ClusterTest {
  io::Network* peer = nullptr;

  void SetUp() override {
    start();
    peer = &cluster().add_node("peer");
  }
  std::unique_ptr<io::Stream> connect(const io::Endpoint& to) { return *run(peer->connect(to)); }
  void send(io::Stream& stream, std::span<const std::byte> bytes) {
    auto write = [](io::Stream& s, io::ConstBytes piece) -> io::Task<void> { co_await s.write(std::span(&piece, 1)); };
    run(write(stream, bytes));
  }
  static std::vector<std::byte> words(std::initializer_list<uint32_t> list) {
    std::vector<std::byte> out;
    for (uint32_t word : list)
      for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(word >> shift));
    return out;
  }
  bool ends(io::Stream& stream) {
    auto read = [](io::Stream& s) -> io::Task<bool> {
      std::byte one[1];
      auto got = co_await s.read_some(one);
      co_return !got;
    };
    return run(read(stream));
  }
  // The node's trace has a closed connection with such a reason, and the mounted client goes on undisturbed.
  void expect_only_it_suffered(const std::string& node, const std::string& reason) {
    bool found = false;
    for (const trace::OwnedEvent& e : cluster().trace().events())
      found = found || (e.node == node && e.kind == trace::Kind::net && e.op == "close" &&
                        e.reason.find(reason) != std::string::npos);
    EXPECT_TRUE(found) << cluster().trace().json_lines();
    ASSERT_DONE(run(fs->getattr("")));
    EXPECT_EQ(fs->recoveries(), 0u);
    EXPECT_FALSE(fs->session().connection()->closed());
  }
};

TEST_F(BadPeers, Garbage) {
  const auto stream = connect(cluster().mds_address());
  std::vector<std::byte> noise(4096);
  cluster().sim().random().fill(noise);
  noise[0] |= std::byte{0x40};
  send(*stream, noise);
  EXPECT_TRUE(ends(*stream));
  expect_only_it_suffered("mds", "");
}

TEST_F(BadPeers, OversizedRecord) {
  const auto stream = connect(cluster().mds_address());
  send(*stream, words({0x80000000u | (100u << 20)}));
  EXPECT_TRUE(ends(*stream));
  expect_only_it_suffered("mds", "over the limit");
}

TEST_F(BadPeers, RecordThatIsNeverFinished) {
  const auto stream = connect(cluster().mds_address());
  send(*stream, words({0x80000000u | 400, 1, 0, 2}));
  EXPECT_TRUE(ends(*stream));
  expect_only_it_suffered("mds", "took longer");
}

TEST_F(BadPeers, TruncatedCompoundIsAnsweredBadXdr) {
  // EXCHANGE_ID whose arguments end after the verifier.
  auto compound = client::Compound::bare();
  compound->raw(OP_EXCHANGE_ID, words({1, 2}));
  const auto reply = run(fs->session().run_bare(compound));
  ASSERT_DONE(reply);
  (*reply)->get<EXCHANGE_ID4res>(OP_EXCHANGE_ID);
  EXPECT_EQ((*reply)->status(), NFS4ERR_BADXDR);
  ASSERT_DONE(run(fs->getattr("")));
}

TEST_F(BadPeers, EveryPrefixOfACompoundIsAnsweredOrRefused) {
  // A whole valid call, cut at each word; the record mark tells the truth about the length.
  Arena arena;
  xdr::Encoder call(arena);
  rpc::encode_call(call, {77, 2, NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND, rpc::Credential::sys(0, 0)});
  call.variable({});
  call.u32(1);
  call.u32(1);
  call.u32(OP_EXCHANGE_ID);
  xdr::encode(call, EXCHANGE_ID4args{});
  const auto whole = call.flatten();
  for (size_t length = 0; length < whole.size(); length += 4) {
    const auto stream = connect(cluster().mds_address());
    auto record = words({0x80000000u | static_cast<uint32_t>(length)});
    record.insert(record.end(), whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
    send(*stream, record);
    cluster().run_for(1ms);
    stream->close();
  }
  ASSERT_DONE(run(fs->getattr("")));
}

}  // namespace
}  // namespace pnfs::cluster
