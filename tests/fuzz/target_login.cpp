// The text parser and the login state machine of pnfs-target, fed with what a stranger sends: a sequence of login
// requests, each a byte of flags, two of length, and that much text. Nobody gets in without having proven a CHAP
// secret.
#include <algorithm>

#include "common/base/random.hpp"
#include "testbed/target/login.hpp"
#include "tests/fuzz/target.hpp"

namespace pnfs::target {
namespace {

struct Directory final : LoginDirectory {
  LoginRules none;
  LoginRules open;
  LoginRules guarded;
  Directory() {
    open.name = "iqn.a:open";
    guarded.name = "iqn.a:guarded";
    guarded.incoming = {{"joe", "a secret nobody can guess here"}};
    guarded.outgoing = ChapUser{"target", "another secret"};
  }
  const LoginRules& discovery() const override { return none; }
  const LoginRules* find(std::string_view name) const override {
    return name == open.name ? &open : name == guarded.name ? &guarded : nullptr;
  }
  bool allowed(std::string_view, std::string_view) const override { return true; }
};

void run(ConstBytes input) {
  const Directory directory;
  SeededRandom random(1);
  LoginMachine machine(directory, random);
  while (input.size() >= 3) {
    Header header;
    header.set_opcode(Opcode::login, input[0]);
    header.raw[3] = input[0] == 0xff;
    header.raw[8] = 0x40;
    const size_t length = std::min<size_t>(get16(&input[1]), input.size() - 3);
    const LoginReply reply = machine.on_request(header, input.subspan(3, length));
    input = input.subspan(3 + length);
    FUZZ_CHECK(!reply.complete || machine.outcome().target != directory.guarded.name);
    FUZZ_CHECK(!reply.complete || machine.outcome().parameters.max_send_data_bytes >= 512);
    if (reply.complete || reply.status != LoginStatus::success) return;
  }
}

// One login request; blanks stand for the zeros between the pairs.
void add_request(FuzzInput& to, uint8_t flags, std::string text) {
  std::ranges::replace(text, ' ', '\0');
  if (!text.empty()) text += '\0';
  const uint8_t head[] = {flags, static_cast<uint8_t>(text.size() >> 8), static_cast<uint8_t>(text.size())};
  for (const uint8_t byte : head) to.push_back(static_cast<std::byte>(byte));
  for (const char c : text) to.push_back(static_cast<std::byte>(c));
}

// Flags (RFC 7143 11.12.3): transit or continue, then current and next stage.
constexpr uint8_t kOneStep = 0x87, kSecurityToOperational = 0x81, kSecurity = 0x00, kContinued = 0x44;

}  // namespace
}  // namespace pnfs::target

std::vector<FuzzInput> fuzz_seeds() {
  using namespace pnfs::target;
  std::vector<FuzzInput> seeds(5);
  add_request(seeds[0], kOneStep, "InitiatorName=iqn.a:i TargetName=iqn.a:open MaxBurstLength=262144");
  add_request(seeds[1], kOneStep, "InitiatorName=iqn.a:i SessionType=Discovery");
  add_request(seeds[2], kSecurityToOperational, "InitiatorName=iqn.a:i TargetName=iqn.a:guarded AuthMethod=CHAP,None");
  add_request(seeds[2], kSecurity, "CHAP_A=5,7");
  add_request(seeds[2], kSecurityToOperational,
              "CHAP_N=joe CHAP_R=0x00112233445566778899aabbccddeeff CHAP_I=1 CHAP_C=0bAQIDBAUGBwg=");
  add_request(seeds[2], kOneStep, "HeaderDigest=CRC32C,None");
  add_request(seeds[3], kContinued, "InitiatorName=iqn.a");
  add_request(seeds[3], kOneStep, ":i TargetName=iqn.a:open");
  add_request(seeds[4], kSecurityToOperational, "InitiatorName=iqn.a:i TargetName=iqn.a:open AuthMethod=None");
  add_request(seeds[4], kOneStep,
              "HeaderDigest=None,CRC32C DataDigest=CRC32C MaxConnections=8 InitialR2T=No ImmediateData=Yes "
              "MaxRecvDataSegmentLength=65536 MaxBurstLength=1048576 FirstBurstLength=65536 DefaultTime2Wait=0 "
              "DefaultTime2Retain=20 MaxOutstandingR2T=4 DataPDUInOrder=Yes DataSequenceInOrder=Yes "
              "ErrorRecoveryLevel=2 IFMarker=No OFMarkInt=Irrelevant TaskReporting=FastAbort X-a=b");
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pnfs::target::run({data, size});
  return 0;
}
