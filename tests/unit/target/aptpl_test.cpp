#include "testbed/target/scsi/aptpl.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace pnfs::target::scsi {
namespace {

struct Names final : LogicalUnit::Observer {
  std::map<std::string, Nexus> known;
  void abort_tasks(LogicalUnit&, NexusId) override {}
  void later(Duration, std::function<void()>) override {}
  Nexus nexus_for(const std::string& name, const std::array<uint8_t, 6>& isid) override {
    const auto id = static_cast<NexusId>(known.size() + 1);
    return known.try_emplace(name, Nexus{id, name, isid}).first->second;
  }
};

struct AptplTest : ::testing::Test {
  AptplTest() {
    const std::string base = std::filesystem::temp_directory_path() / "pnfslab-aptpl-XXXXXX";
    std::string name = base;
    folder = ::mkdtemp(name.data());
    config.aptpl_path = folder / "registrations";
  }
  ~AptplTest() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  UnitConfig config;
  Names names;
};

TEST_F(AptplTest, HolderAndRegistrantsComeBack) {
  LogicalUnit before(config, make_memory(1 << 20), &names);
  const Nexus mds = names.nexus_for("iqn.a:mds", {1, 2, 3, 4, 5, 6});
  const Nexus ds = names.nexus_for("iqn.a:ds", {9});
  before.reservations.register_key(mds, 0, 0x11, false, true);
  before.reservations.register_key(ds, 0, 0x22, false, true);
  before.reservations.reserve(mds, 0x11, PrType::write_exclusive_registrants);
  ASSERT_TRUE(save_reservations(before));

  LogicalUnit after(config, make_memory(1 << 20), &names);
  ASSERT_TRUE(restore_reservations(after));
  EXPECT_EQ(after.reservations.type(), PrType::write_exclusive_registrants);
  EXPECT_TRUE(after.reservations.holds(mds.id));
  EXPECT_EQ(after.reservations.holder_key(), 0x11u);
  EXPECT_TRUE(after.reservations.registered(ds.id));
  EXPECT_EQ(after.reservations.registrants().at(mds.id).isid, mds.isid);
}

TEST_F(AptplTest, WithoutAptplNothingIsLeftBehind) {
  LogicalUnit unit(config, make_memory(1 << 20), &names);
  const Nexus mds = names.nexus_for("iqn.a:mds", {1});
  unit.reservations.register_key(mds, 0, 0x11, false, true);
  ASSERT_TRUE(save_reservations(unit));
  EXPECT_TRUE(std::filesystem::exists(config.aptpl_path));
  unit.reservations.register_key(mds, 0x11, 0x12, false, false);
  ASSERT_TRUE(save_reservations(unit));
  EXPECT_FALSE(std::filesystem::exists(config.aptpl_path));
}

TEST_F(AptplTest, AFileThatIsNotOursIsRefusedWithItsLine) {
  std::ofstream(config.aptpl_path) << "pnfslab-registrations 1\ntype 5\nregistrant iqn.a:x 0x01\n";
  LogicalUnit unit(config, make_memory(1 << 20), &names);
  const auto restored = restore_reservations(unit);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, Errc::corrupt);
  EXPECT_NE(restored.error().reason.find(":3:"), std::string::npos) << restored.error().reason;
}

}  // namespace
}  // namespace pnfs::target::scsi
