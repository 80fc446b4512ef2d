#include <gtest/gtest.h>

#include "testbed/target/scsi/dispatch.hpp"

namespace pnfs::target::scsi {
namespace {

TEST(Opcodes, TheTableIsInOrderAndEveryUsageMapNamesItsOpcode) {
  const CommandEntry* last = nullptr;
  for (const CommandEntry& entry : command_table()) {
    EXPECT_EQ(entry.usage[0], entry.opcode) << entry.name;
    for (size_t i = entry.cdb_bytes(); i < entry.usage.size(); ++i) EXPECT_EQ(entry.usage[i], 0) << entry.name;
    EXPECT_EQ(entry.usage[entry.cdb_bytes() - 1], 4) << entry.name << ": CONTROL byte";
    if (last) {
      EXPECT_LT(std::make_pair(last->opcode, last->service_action), std::make_pair(entry.opcode, entry.service_action));
    }
    last = &entry;
  }
}

TEST(Sense, BothFormatsCarryTheSameThing) {
  Sense sense{SenseKey::illegal_request, Asc::lba_out_of_range};
  sense.information = 0x123456;
  const auto fixed = encode(sense, false);
  EXPECT_EQ(fixed[0], 0xf0);
  EXPECT_EQ(fixed[2], 5);
  EXPECT_EQ(get32(&fixed[3]), 0x123456u);
  EXPECT_EQ(get16(&fixed[12]), 0x2100);
  const auto descriptor = encode(sense, true);
  EXPECT_EQ(descriptor[0], 0x72);
  EXPECT_EQ(descriptor[1], 5);
  EXPECT_EQ(get16(&descriptor[2]), 0x2100);
  EXPECT_EQ(descriptor[7], descriptor.size() - 8);
  EXPECT_EQ(get64(&descriptor[12]), 0x123456u);
  // An LBA beyond 32 bits does not fit the fixed format: it then says nothing rather than something wrong.
  sense.information = uint64_t{1} << 40;
  EXPECT_EQ(encode(sense, false)[0], 0x70);
}

}  // namespace
}  // namespace pnfs::target::scsi
