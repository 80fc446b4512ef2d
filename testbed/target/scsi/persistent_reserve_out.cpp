// PERSISTENT RESERVE OUT (SPC-4 6.16): the CDB, the parameter list and the answers; the rules are in
// persistent_reservations.cpp, survival of a restart in aptpl.cpp.
#include "testbed/target/scsi/aptpl.hpp"
#include "testbed/target/scsi/families.hpp"
#include "testbed/target/scsi/transport_id.hpp"

namespace pnfs::target::scsi {

namespace {

enum Action : uint8_t { kRegister, kReserve, kRelease, kClear, kPreempt, kPreemptAbort, kRegisterIgnore, kMove };

constexpr size_t kParameterBytes = 24;

bool uses_type(uint8_t action) {
  return action == kReserve || action == kRelease || action == kPreempt || action == kPreemptAbort;
}

void answer(Command& c, const PersistentReservations::Outcome& outcome) {
  using Verdict = PersistentReservations::Verdict;
  switch (outcome.verdict) {
    case Verdict::good:
      break;
    case Verdict::conflict:
      return c.finish(Status::reservation_conflict);
    case Verdict::no_resources:
      return c.fail(SenseKey::illegal_request, Asc::insufficient_registration_resources);
    case Verdict::invalid_release:
      return c.fail(SenseKey::illegal_request, Asc::invalid_release_of_reservation);
    case Verdict::invalid_parameter:
      return c.fail_parameter(8);
  }
  LogicalUnit& unit = *c.unit;
  for (const auto& effect : outcome.effects) {
    if (effect.abort && unit.observer()) unit.observer()->abort_tasks(unit, effect.nexus);
    if (effect.attention != Asc::none) unit.attention(effect.nexus, effect.attention);
  }
}

PersistentReservations::Outcome move(Command& c, uint64_t key, uint64_t service_key) {
  const ConstBytes data = c.data_out;
  const size_t id_bytes = get32(&data[20]);
  const auto port = id_bytes <= data.size() - kParameterBytes
                        ? parse_transport_id(data.subspan(kParameterBytes, id_bytes))
                        : std::nullopt;
  if (!port || get16(&data[18]) != 1 || !c.unit->observer())
    return {PersistentReservations::Verdict::invalid_parameter, {}};
  const Nexus to = c.unit->observer()->nexus_for(port->name, port->isid);
  return c.unit->reservations.register_and_move(*c.nexus, key, service_key, to, data[17] & 0x02, data[17] & 0x01);
}

}  // namespace

void check_persistent_out(Command& c) {
  const uint8_t action = c.cdb[1] & 0x1f;
  if (uses_type(action)) {
    if (c.cdb[2] >> 4 != 0) return c.fail_field(2);  // scope: the logical unit
    if (!is_valid(c.cdb[2] & 0x0f)) return c.fail_field(2);
  }
  // SPC-2 reservations and persistent ones exclude each other (SPC-4 5.12.1); admit() has refused other nexuses.
  if (c.unit->reserved_by) return c.finish(Status::reservation_conflict);
  const uint32_t length = get32(&c.cdb[5]);
  if (length < kParameterBytes || length > 4096 || (action != kMove && length != kParameterBytes))
    return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  expect_parameters(c, length);
}

void execute_persistent_out(Command& c) {
  const ConstBytes data = c.data_out;
  if (data.size() < kParameterBytes) return c.fail(SenseKey::illegal_request, Asc::parameter_list_length_error);
  const uint8_t action = c.cdb[1] & 0x1f;
  const auto type = static_cast<PrType>(c.cdb[2] & 0x0f);
  const uint64_t key = get64(&data[0]);
  const uint64_t service_key = get64(&data[8]);
  const bool registers = action == kRegister || action == kRegisterIgnore;
  const bool aptpl = action == kMove ? data[17] & 0x01 : registers && (data[20] & 0x01);
  if (registers && (data[20] & 0x08)) return c.fail_parameter(20);  // SPEC_I_PT: REPORT CAPABILITIES says no
  if (aptpl && c.unit->config().aptpl_path.empty()) return c.fail_parameter(20);

  auto& pr = c.unit->reservations;
  switch (action) {
    case kRegister:
    case kRegisterIgnore:
      answer(c, pr.register_key(*c.nexus, key, service_key, action == kRegisterIgnore, aptpl));
      break;
    case kReserve:
      answer(c, pr.reserve(*c.nexus, key, type));
      break;
    case kRelease:
      answer(c, pr.release(*c.nexus, key, type));
      break;
    case kClear:
      answer(c, pr.clear(*c.nexus, key));
      break;
    case kMove:
      answer(c, move(c, key, service_key));
      break;
    default:
      answer(c, pr.preempt(*c.nexus, key, service_key, type, action == kPreemptAbort));
      break;
  }
  if (c.status != Status::good || c.unit->config().aptpl_path.empty()) return;
  if (auto saved = save_reservations(*c.unit); !saved) c.fail(SenseKey::hardware_error, Asc::internal_target_failure);
}

}  // namespace pnfs::target::scsi
