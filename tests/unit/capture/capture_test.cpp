// Connections as frames: what a reader of the file gets back is what went through the streams, byte for byte, with the
// remarks where they belong.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "common/capture/flow.hpp"
#include "common/capture/merge.hpp"
#include "common/capture/network.hpp"
#include "common/io/memory_network.hpp"
#include "common/io/simulation.hpp"

namespace pnfs::capture {
namespace {

using namespace std::chrono_literals;

struct Frame {
  uint64_t at;
  Direction direction;
  std::string from, to, payload, comment;
  uint32_t sequence, acknowledged;
  uint8_t flags;
  std::string interface;
};

uint32_t number(std::string_view text, size_t at, size_t bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<uint8_t>(text[at + i]);
  return value;
}

// RFC 1071 over a text: 0xffff when the checksum within is right.
uint32_t ones_sum(std::string_view text, uint32_t sum = 0) {
  for (size_t i = 0; i < text.size(); i += 2)
    sum += number(text, i, 1) << 8 | (i + 1 < text.size() ? number(text, i + 1, 1) : 0);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

std::vector<Frame> read_all(const std::string& path) {
  std::vector<Frame> frames;
  auto reader = Reader::open(path);
  EXPECT_TRUE(reader);
  if (!reader) return frames;
  Packet packet;
  for (;;) {
    const auto more = reader->next(packet);
    EXPECT_TRUE(more) << more.error().reason;
    if (!more || !*more) return frames;
    const std::string_view all(reinterpret_cast<const char*>(packet.frame.data()), packet.frame.size());
    const bool v4 = number(all, 12, 2) == 0x0800;
    const size_t tcp = v4 ? 34 : 54, addresses = v4 ? 8 : 32;
    if (v4) {
      EXPECT_EQ(ones_sum(all.substr(14, 20)), 0xffffu);
      EXPECT_EQ(number(all, 16, 2), all.size() - 14);
    } else {
      EXPECT_EQ(number(all, 18, 2), all.size() - 54);
    }
    const uint32_t pseudo = ones_sum(all.substr(tcp - addresses, addresses)) + 6 + static_cast<uint32_t>(all.size() - tcp);
    EXPECT_EQ(ones_sum(all.substr(tcp), pseudo), 0xffffu) << "TCP checksum";
    const size_t head = number(all, tcp + 12, 1) / 16 * 4;
    const std::string source(all.substr(tcp - addresses, addresses / 2)), target(all.substr(tcp - addresses / 2, addresses / 2));
    frames.push_back({packet.nanoseconds, packet.direction, source + ":" + std::to_string(number(all, tcp, 2)),
                      target + ":" + std::to_string(number(all, tcp + 2, 2)), std::string(all.substr(tcp + head)),
                      std::string(packet.comment), number(all, tcp + 4, 4), number(all, tcp + 8, 4),
                      static_cast<uint8_t>(number(all, tcp + 13, 1)), reader->interface_name()});
  }
}

// The bytes that each end sent, put together as a receiver does; a gap or an overlap fails.
std::map<std::string, std::string> reassemble(const std::vector<Frame>& frames) {
  std::map<std::string, std::string> streams;
  std::map<std::string, uint32_t> next;
  for (const Frame& frame : frames) {
    const std::string way = frame.from + ">" + frame.to;
    const bool syn = frame.flags & 2, fin = frame.flags & 1;
    if (!syn) EXPECT_EQ(frame.sequence, next[way]) << "a gap or an overlap";
    if (!syn) EXPECT_EQ(frame.acknowledged, next[frame.to + ">" + frame.from]);
    streams[way] += frame.payload;
    next[way] = frame.sequence + static_cast<uint32_t>(frame.payload.size()) + syn + fin;
  }
  return streams;
}

std::string text_of(size_t bytes, unsigned salt) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 + i / 257 + salt);
  return text;
}

struct CaptureTest : ::testing::Test {
  io::Simulation sim;
  io::MemoryNetwork network{sim.timers(), sim.random()};
  std::filesystem::path folder;

  CaptureTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "capture-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~CaptureTest() override { std::filesystem::remove_all(folder); }
  std::string path(const std::string& name) const { return folder / (name + ".pcapng"); }

  // A node with a tap, its capture called after it.
  struct Node {
    Node(CaptureTest& test, const std::string& name, const char* address)
        : tap(test.network.add_node(name, {io::asio::ip::make_address(address)})) {
      EXPECT_TRUE(tap.open(test.path(name), name, test.sim.timers()));
    }
    Tap tap;
  };
};

io::Task<void> talk(Tap& server, Tap& client, io::Endpoint at, const std::string& question, const std::string& answer,
                    std::vector<Remark> remarks, io::TimerQueue& timers) {
  const io::Executor executor = timers.executor();
  int writing = 2;
  auto listener = server.network().listen(at);
  EXPECT_TRUE(listener);
  std::unique_ptr<io::Stream> accepted;
  io::asio::co_spawn(
      executor,
      [&]() -> io::Task<void> {
        auto got = co_await (*listener)->accept();
        accepted = std::move(*got);
      },
      io::asio::detached);
  auto asked = co_await client.network().connect(at);
  EXPECT_TRUE(asked);
  while (!accepted) co_await timers.sleep(1ms);
  const io::ConstBytes out = std::as_bytes(std::span(question));
  // The writer waits for the reader: both at once.
  io::asio::co_spawn(
      executor,
      [&]() -> io::Task<void> {
        (void)co_await (*asked)->write({&out, 1});
        --writing;
      },
      io::asio::detached);
  std::string got(question.size(), '\0');
  (void)co_await io::read_exactly(*accepted, std::as_writable_bytes(std::span(got)));
  EXPECT_TRUE(got == question);
  for (Remark& remark : remarks) accepted->remark(remark.begin, remark.end, remark.text);
  // In odd pieces: checksums and cuts must not care.
  std::vector<io::ConstBytes> pieces;
  for (size_t at_byte = 0, size = 1; at_byte < answer.size(); at_byte += size, size = size * 3 + 2) {
    size = std::min(size, answer.size() - at_byte);
    pieces.push_back(std::as_bytes(std::span(answer)).subspan(at_byte, size));
  }
  io::asio::co_spawn(
      executor,
      [&]() -> io::Task<void> {
        (void)co_await accepted->write(pieces);
        --writing;
      },
      io::asio::detached);
  std::string back(answer.size(), '\0');
  (void)co_await io::read_exactly(**asked, std::as_writable_bytes(std::span(back)));
  EXPECT_TRUE(back == answer);
  while (writing > 0) co_await timers.sleep(1ms);
  accepted->remark_silence("nothing more");
  accepted->remark_end("enough");
  accepted->close();
  std::byte one;
  EXPECT_FALSE(co_await (*asked)->read_some({&one, 1}));
  (*asked)->close();
  (*listener)->close();
}

TEST_F(CaptureTest, EveryByteBothWaysOverManySegmentsWithRemarksOnTheirOwn) {
  for (const char* address : {"10.0.0.1", "fd00::1"}) {
    const bool v4 = address[0] == '1';
    const std::string mds = v4 ? "mds4" : "mds6", client = v4 ? "client4" : "client6";
    const std::string question = text_of(300'001, 1), answer = text_of(200'007, 2);
    {
      Node server(*this, mds, address), asker(*this, client, v4 ? "10.0.0.9" : "fd00::9");
      // A short one, one longer than a segment, one right behind it.
      sim.run(talk(server.tap, asker.tap, {io::asio::ip::make_address(address), 2049}, question, answer,
                   {{100, 140, "short"}, {1000, 150'000, "long"}, {150'000, 150'001, "one byte"}}, sim.timers()));
    }
    for (const std::string& name : {mds, client}) {
      const auto frames = read_all(path(name));
      const auto streams = reassemble(frames);
      ASSERT_EQ(streams.size(), 2u);
      size_t found = 0;
      for (const auto& [way, text] : streams) found += text == question || text == answer;
      EXPECT_EQ(found, 2u) << name;
      EXPECT_EQ(frames.front().interface, name);
      EXPECT_EQ(frames.front().flags, 2) << "SYN";
    }
    std::map<std::string, size_t> comments;
    for (const Frame& frame : read_all(path(mds)))
      if (!frame.comment.empty()) comments[frame.comment] = frame.payload.size();
    // The packet that ends what is remarked upon, and nothing else in it.
    const std::map<std::string, size_t> expected{
        {"short", 40}, {"long", 149'000 % 65483}, {"one byte", 1}, {"nothing more", 0}, {"enough", 0}};
    EXPECT_EQ(comments, expected);
  }
}

TEST_F(CaptureTest, MergedEachPacketIsThereOnce) {
  const std::string question = text_of(5000, 3), answer = text_of(7000, 4);
  {
    Node mds(*this, "mds", "10.0.0.1"), ds(*this, "ds1", "10.0.0.2");
    Tap stranger(network.add_node("stranger", {io::asio::ip::make_address("10.0.0.77")}));
    sim.run(talk(mds.tap, ds.tap, {io::asio::ip::make_address("10.0.0.1"), 2049}, question, answer, {{0, 9, "why"}},
                 sim.timers()));
    sim.run(talk(ds.tap, stranger, {io::asio::ip::make_address("10.0.0.2"), 2050}, question, answer, {}, sim.timers()));
  }
  const auto merged = merge({path("mds"), path("ds1")}, path("all"));
  ASSERT_TRUE(merged) << merged.error().reason;
  const auto frames = read_all(path("all"));
  EXPECT_EQ(frames.size(), merged->packets);
  EXPECT_EQ(merged->comments, 5u);  // "why", and the two ends of each connection
  const auto streams = reassemble(frames);  // a packet that is there twice would be an overlap
  EXPECT_EQ(streams.size(), 4u);
  for (size_t i = 1; i < frames.size(); ++i) EXPECT_LE(frames[i - 1].at, frames[i].at);
  std::string file(std::filesystem::file_size(path("all")), '\0');
  std::FILE* in = std::fopen(path("all").c_str(), "rb");
  ASSERT_EQ(std::fread(file.data(), 1, file.size(), in), file.size());
  std::fclose(in);
  for (const char* name : {"\x0a\0\0\1mds", "\x0a\0\0\2ds1", "\x0a\0\0\x4d" "client1"})
    EXPECT_NE(file.find(std::string(name, 4) + (name + 4)), std::string::npos) << name + 4;
}

TEST_F(CaptureTest, ARestartGoesOnWithTheFileAndACutEndIsTheEnd) {
  for (int life = 0; life < 2; ++life) {
    auto file = File::open(path("mds"), "mds", sim.timers());
    ASSERT_TRUE(file);
    const Bytes frame = std::as_bytes(std::span("sixty bytes of an Ethernet frame that nobody has to understand", 60));
    (*file)->packet(Direction::in, {&frame, 1}, "");
  }
  const auto packets = [&] {
    auto reader = Reader::open(path("mds"));
    Packet packet;
    size_t count = 0;
    while (*reader->next(packet)) ++count;
    return count;
  };
  EXPECT_EQ(packets(), 2u);
  std::filesystem::resize_file(path("mds"), std::filesystem::file_size(path("mds")) - 5);
  EXPECT_EQ(packets(), 1u);
}

TEST_F(CaptureTest, WhatIsNoCaptureIsSaidSo) {
  const std::string text = "#!/bin/sh\necho this is no capture\n";
  std::FILE* out = std::fopen(path("text").c_str(), "wb");
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
  const auto merged = merge({path("text")}, path("all"));
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().reason.find("text.pcapng is not a capture that pnfslab wrote"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path("all")));
  Tap tap(network.add_node("x", {io::asio::ip::make_address("10.0.0.1")}));
  const auto opened = tap.open("/nonexistent/folder/file", "x", sim.timers());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().reason.find("--capture"), std::string::npos);
}

}  // namespace
}  // namespace pnfs::capture
