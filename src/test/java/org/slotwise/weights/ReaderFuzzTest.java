package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.training.Adam;
import org.slotwise.training.Checkpoint;

/** Small files with bytes changed, taken out, put in, or taken from elsewhere in them. */
@ExtendWith(OnDevice.class)
class ReaderFuzzTest {

    private static final int ROUNDS = 100;

    @TempDir Path folder;

    private interface Reader {
        void read(Path file) throws IOException;
    }

    private static byte[] mutated(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        for (int changes = random.nextInt(1, 4); changes > 0 && bytes.length > 8; changes--) {
            int at = random.nextInt(bytes.length);
            int length = Math.min(random.nextInt(1, 17), bytes.length - at);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> Arrays.fill(bytes, at, at + length, (byte) (random.nextInt(3) * 127));
                case 3 -> {
                    int from = random.nextInt(bytes.length - length + 1);
                    System.arraycopy(bytes, from, bytes, at, length);
                }
                case 4 -> { // taken out
                    byte[] rest = Arrays.copyOf(bytes, bytes.length - length);
                    System.arraycopy(bytes, at + length, rest, at, rest.length - at);
                    bytes = rest;
                }
                default -> { // put in
                    byte[] more = Arrays.copyOf(bytes, bytes.length + length);
                    System.arraycopy(bytes, at, more, at + length, bytes.length - at);
                    bytes = more;
                }
            }
        }
        return bytes;
    }

    private void fuzz(String name, byte[] whole, String who, Reader reader) {
        Random random = new Random(name.hashCode());
        Path file = folder.resolve("fuzz");
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = mutated(whole, random);
            boolean read =
                    assertTimeoutPreemptively(
                            Duration.ofSeconds(20),
                            () -> {
                                Files.write(file, bytes);
                                try {
                                    reader.read(file);
                                    return true;
                                } catch (IOException e) {
                                    String message = String.valueOf(e.getMessage());
                                    assertTrue(message.startsWith(who + ": " + file), message);
                                    return false;
                                }
                            },
                            name + ", round " + round);
            refused += read ? 0 : 1;
        }
        assertTrue(refused > ROUNDS / 20, refused + " refused");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "types.safetensors",
                "sequential.safetensors",
                "types.npz",
                "compressed.npz",
                "stream_stored.npz",
                "rezip_dirs.npz",
                "py2long.npz",
                "checkpoint_types.pt",
                "checkpoint_no_checksums.pt",
                "checkpoint_protocol_4.pt",
                "checkpoint_nested.pt",
                "checkpoint_module.pt",
                "checkpoint_legacy.pt",
                "refused_module_legacy.pt",
                "lightning_multistep.ckpt",
                "namespace.pt",
                "param_attr.pt",
                "conj_imag.pt"
            })
    void weights(String name) throws IOException {
        fuzz(
                name,
                StateDictFileTest.bytesOf(name),
                "StateDict",
                file -> {
                    try (StateDict dict = StateDict.read(file)) {
                        dict.arrays().values().forEach(Tensors::doubles);
                    }
                });
    }

    /** The pickle itself, so that no checksum of the archive is in the way. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "checkpoint_types.pt",
                "checkpoint_protocol_4.pt",
                "refused_module_in_dict.pt",
                "lightning_multistep.ckpt",
                "namespace.pt",
                "np_scalar.pt"
            })
    void pickles(String name) throws IOException {
        Path file = Files.write(folder.resolve("whole"), StateDictFileTest.bytesOf(name));
        byte[] pickle;
        try (ZipArchive zip = ZipArchive.open(file)) {
            String entry =
                    zip.entries().keySet().stream()
                            .filter(e -> e.endsWith("data.pkl"))
                            .findFirst()
                            .orElseThrow();
            pickle = zip.open(zip.entries().get(entry), true).readAllBytes();
        }
        Random random = new Random(name.hashCode());
        ReadOptions all = ReadOptions.builder().build();
        for (int round = 0; round < 10 * ROUNDS; round++) {
            byte[] bytes = mutated(pickle, random);
            assertTimeoutPreemptively(
                    Duration.ofSeconds(20),
                    () -> {
                        try {
                            TorchNames.of(TorchPickle.read(bytes), all);
                        } catch (IOException e) {
                            assertTrue(e.getMessage() != null && !e.getMessage().isEmpty());
                        }
                    },
                    name + ", round " + round);
        }
    }

    @Test
    void checkpoints(NDManager manager) throws IOException {
        Path whole = folder.resolve("run.safetensors");
        try (Adam adam = Adam.builder().build()) {
            FeedForward block = new FeedForward(2, 3);
            block.initialize(manager, DataType.FLOAT32, new Shape(-1, 2));
            Checkpoint.write(whole, block, adam, 3, Map.of("seed", "0"));
        }
        fuzz(
                "checkpoint",
                Files.readAllBytes(whole),
                "Checkpoint",
                file -> Checkpoint.read(file).close());
    }
}
