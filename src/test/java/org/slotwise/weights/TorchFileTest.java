package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Files that torch.save wrote (make_checkpoints.py), and pickles that someone else did. */
@ExtendWith(OnDevice.class)
class TorchFileTest {

    private static final double[] RAMP = {-1, -0.5, 0, 0.5, 1, 1.5};

    private static void assertHolds(
            StateDict dict, String name, DataType type, Shape shape, double... values) {
        NDArray array = dict.get(name);
        assertEquals(type, array.getDataType(), name);
        assertEquals(shape, array.getShape(), name);
        assertEquals(Device.cpu(), array.getDevice(), name);
        assertEquals(name, array.getName());
        assertArrayEquals(values, Tensors.doubles(array), name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"types", "protocol_4", "no_checksums"})
    void readsWhatTorchWrote(String file) throws IOException {
        try (StateDict dict = StateDictFileTest.fixture("checkpoint_" + file + ".pt")) {
            Shape ramp = new Shape(2, 3);
            assertHolds(dict, "f64", DataType.FLOAT64, ramp, RAMP);
            assertHolds(dict, "f32", DataType.FLOAT32, ramp, RAMP);
            assertHolds(dict, "f16", DataType.FLOAT16, ramp, RAMP);
            assertHolds(dict, "bf16", DataType.FLOAT32, ramp, RAMP);
            assertHolds(dict, "i64", DataType.INT64, new Shape(2), -(double) (1L << 40), 7);
            assertHolds(dict, "i32", DataType.INT32, new Shape(2), -(1 << 20), 7);
            assertHolds(dict, "i8", DataType.INT8, new Shape(2), -128, 7);
            assertHolds(dict, "u8", DataType.UINT8, new Shape(2), 255, 7);
            assertHolds(dict, "bool", DataType.BOOLEAN, new Shape(3), 1, 0, 1);
            assertHolds(dict, "scalar", DataType.FLOAT32, new Shape(), 2.5);
            assertHolds(dict, "empty", DataType.FLOAT32, new Shape(0, 3));
        }
    }

    /** Slices, transposes, steps and expansions of one storage. */
    @Test
    void readsViews() throws IOException {
        try (StateDict dict = StateDictFileTest.fixture("checkpoint_types.pt")) {
            double[] base = new double[24];
            Arrays.setAll(base, i -> i);
            assertHolds(dict, "base", DataType.FLOAT32, new Shape(24), base);
            assertHolds(dict, "tail", DataType.FLOAT32, new Shape(4), 20, 21, 22, 23);
            double[] transposed = new double[24];
            Arrays.setAll(transposed, i -> i % 4 * 6 + i / 4);
            assertHolds(dict, "transposed", DataType.FLOAT32, new Shape(6, 4), transposed);
            assertHolds(
                    dict,
                    "stepped",
                    DataType.FLOAT32,
                    new Shape(2, 2, 2),
                    1,
                    3,
                    9,
                    11,
                    13,
                    15,
                    21,
                    23);
            assertHolds(dict, "expanded", DataType.FLOAT32, new Shape(2, 3), 0, 0, 0, 1, 1, 1);
            dict.get("base").set(new float[24]);
            assertEquals(20, dict.get("tail").getFloat(0), "arrays share no memory");
        }
    }

    @Test
    void readsBigEndianNumbers() throws IOException {
        try (StateDict dict = StateDictFileTest.fixture("checkpoint_big_endian.pt")) {
            assertHolds(dict, "f32", DataType.FLOAT32, new Shape(4), -1.5, -0.5, 0.5, 1.5);
            assertHolds(dict, "i64", DataType.INT64, new Shape(2), -(double) (1L << 40), 7);
        }
    }

    @Test
    void joinsTheNamesOfNestedDicts() throws IOException {
        try (StateDict dict = StateDictFileTest.fixture("checkpoint_nested.pt")) {
            assertEquals(
                    List.of("model.blocks.0.w", "model.blocks.1.w"), List.copyOf(dict.names()));
            assertHolds(dict, "model.blocks.0.w", DataType.FLOAT32, new Shape(2), 1, 1);
        }
    }

    /** Of a Lightning checkpoint the weights alone, not the optimizer's moments. */
    @Test
    void readsLightningsStateDict() throws IOException {
        try (StateDict dict = StateDictFileTest.fixture("checkpoint_oclf.ckpt")) {
            assertTrue(
                    dict.names().stream().allMatch(name -> name.startsWith("models.")),
                    dict.names().toString());
            assertEquals(new Shape(1, 1, 4), dict.get("models.conditioning.slots_mu").getShape());
        }
    }

    @Test
    void readsFilesAsStreams(@TempDir Path folder) throws IOException {
        byte[] bytes = StateDictFileTest.bytesOf("checkpoint_types.pt");
        Path file = Files.write(folder.resolve("w.bin"), bytes);
        try (StateDict fromFile = StateDict.read(file);
                StateDict fromStream = StateDict.read(new ByteArrayInputStream(bytes))) {
            assertEquals(List.copyOf(fromFile.names()), List.copyOf(fromStream.names()));
            fromFile.arrays().forEach((n, a) -> Tensors.assertSame(n, a, fromStream.get(n)));
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(file), left.toList());
        }
    }

    static Stream<Arguments> refused() {
        String load = "torch.load(path, map_location=\"cpu\", weights_only=";
        String only = "; pass it over by ReadOptions.optOnly, or write it anew in Python: w = ";
        return Stream.of(
                Arguments.of(
                        "module.pt",
                        "it is an object of torch.nn.modules.linear.Linear, which has tensors"
                                + " inside; nothing was run. If you trust the file, write its"
                                + " weights alone in Python: torch.save("
                                + load
                                + "False).state_dict(), new_path)"),
                Arguments.of(
                        "tensor.pt",
                        "a single tensor without a name; save a dict in Python: torch.save({\"weight\": "
                                + load
                                + "True)}, new_path)"),
                Arguments.of(
                        "legacy.pt",
                        "a bare pickle, as PyTorch wrote before 1.6; if you trust it, write it"
                                + " anew in Python: w = "
                                + load
                                + "False); torch.save(w.state_dict() if hasattr(w,"
                                + " \"state_dict\") else w, new_path)"),
                Arguments.of(
                        "script.pt",
                        "a TorchScript archive; in Python: torch.save(torch.jit.load(path,"
                                + " map_location=\"cpu\").state_dict(), new_path)"),
                Arguments.of(
                        "complex.pt",
                        "x is of type complexfloat, which is not supported"
                                + only
                                + load
                                + "True); w[\"x\"] ="
                                + " torch.view_as_real(w[\"x\"].detach().resolve_conj());"
                                + " torch.save(w, new_path)"),
                Arguments.of(
                        "uint16.pt",
                        "x is of type uint16, which is not supported"
                                + only
                                + load
                                + "True); w[\"x\"] = w[\"x\"].detach().long(); torch.save(w,"
                                + " new_path)"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void refusesWhatItCannotRead(String file, String message) throws IOException {
        assertUnreadable(message, StateDictFileTest.bytesOf("checkpoint_" + file));
    }

    @Test
    void passesOverWhatIsNotWanted(@TempDir Path folder) throws IOException {
        Path file =
                Files.write(
                        folder.resolve("w.pt"), StateDictFileTest.bytesOf("checkpoint_complex.pt"));
        ReadOptions options = ReadOptions.builder().optOnly(name -> name.equals("y")).build();
        try (StateDict dict = StateDict.read(file, options)) {
            assertEquals(List.of("y"), List.copyOf(dict.names()));
        }
    }

    private static String assertUnreadable(String expected, byte[] bytes) {
        String message =
                assertThrows(
                                IOException.class,
                                () -> StateDict.read(new ByteArrayInputStream(bytes)).close())
                        .getMessage();
        String start = "StateDict: the stream: ";
        assertTrue(message.startsWith(start), message);
        if (expected.endsWith("...")) {
            String part = expected.substring(0, expected.length() - 3);
            assertTrue(message.startsWith(start + part), message);
        } else {
            assertEquals(start + expected, message);
        }
        return message;
    }

    /** A pickle, written instruction by instruction. */
    private static final class Pickle {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Pickle() {
            op(0x80, 2);
        }

        Pickle op(int... codes) {
            for (int code : codes) {
                bytes.write(code);
            }
            return this;
        }

        Pickle raw(String text) {
            bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
            return this;
        }

        Pickle text(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            op('X').int32(utf8.length);
            bytes.writeBytes(utf8);
            return this;
        }

        Pickle int32(int value) {
            bytes.writeBytes(
                    ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
            return this;
        }

        Pickle int64(long value) {
            op(0x8a, 8);
            bytes.writeBytes(
                    ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
            return this;
        }

        Pickle global(String module, String name) {
            return raw("c" + module + "\n" + name + "\n");
        }

        /** A tensor of one axis on data/0, of 8 bytes. */
        Pickle tensor(long elements, long offset, long size, long stride) {
            global("torch._utils", "_rebuild_tensor_v2").op('(');
            op('(').text("storage").global("torch", "FloatStorage").text("0").text("cpu");
            int64(elements).op('t', 'Q').int64(offset);
            int64(size).op(0x85).int64(stride).op(0x85, 0x89);
            return global("collections", "OrderedDict").op(')', 'R', 't', 'R');
        }

        /** A file whose dict has one item "x", made by these instructions. */
        static byte[] dictOf(UnaryOperator<Pickle> value) {
            Pickle pickle = new Pickle().op('}').text("x");
            return value.apply(pickle).op('s', '.').file();
        }

        byte[] file() {
            Map<String, byte[]> entries = new LinkedHashMap<>();
            entries.put("a/data.pkl", bytes.toByteArray());
            entries.put("a/data/0", new byte[8]);
            return archive(entries);
        }
    }

    private static byte[] archive(Map<String, byte[]> entries) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(file)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                ZipEntry stored = new ZipEntry(entry.getKey());
                stored.setMethod(ZipEntry.STORED);
                stored.setSize(entry.getValue().length);
                CRC32 sum = new CRC32();
                sum.update(entry.getValue());
                stored.setCrc(sum.getValue());
                zip.putNextEntry(stored);
                zip.write(entry.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file.toByteArray();
    }

    static Stream<Arguments> hostile() {
        return Stream.of(
                Arguments.of(
                        "a call of the system's shell",
                        Pickle.dictOf(
                                p ->
                                        p.global("os", "system")
                                                .text("touch /tmp/owned")
                                                .op(0x85, 'R')),
                        "it has no tensors: x is an object of os.system, which is no part of a state dict;"
                                + " nothing was run"),
                Arguments.of(
                        "the same by protocol 4",
                        Pickle.dictOf(
                                p ->
                                        p.op(0x8c, 5)
                                                .raw("posix")
                                                .op(0x8c, 6)
                                                .raw("system")
                                                .op(0x93, ')', 0x81)),
                        "it has no tensors: x is an object of posix.system, ..."),
                Arguments.of(
                        "a storage class that is none",
                        Pickle.dictOf(p -> p.global("torch", "a.bStorage").op(')', 'R')),
                        "it has no tensors: x is an object of torch.a.bStorage, ..."),
                Arguments.of(
                        "a list that holds itself",
                        Pickle.dictOf(p -> p.op(']', 'q', 1, 'h', 1, 'a')),
                        "the dict is too deep or too large"),
                Arguments.of(
                        "ten to the thirty lists",
                        Pickle.dictOf(TorchFileTest::laughs),
                        "a name of more than 1024 characters, ..."),
                Arguments.of(
                        "too many instructions",
                        Pickle.dictOf(p -> p.raw("N0".repeat(1_500_001))),
                        "the pickle has more than 3000000 instructions"),
                Arguments.of(
                        "a name of 2000 characters",
                        Pickle.dictOf(p -> p.op('}').text("n".repeat(2000)).op(']', 's')),
                        "a name of more than 1024 characters, ..."),
                Arguments.of(
                        "a memo of any number",
                        Pickle.dictOf(p -> p.op('N', 'r').int32(-5).op('j').int32(7)),
                        "the pickle recalls what it did not store"),
                Arguments.of(
                        "a text of 2 GiB",
                        new Pickle().op('X').int32(Integer.MAX_VALUE).file(),
                        "the pickle is cut off"),
                Arguments.of(
                        "a text of less than nothing",
                        new Pickle().op('X').int32(-1).file(),
                        "the pickle is cut off"),
                Arguments.of(
                        "an end that is not there",
                        new Pickle().op('N').file(),
                        "the pickle is cut off"),
                Arguments.of(
                        "more taken than there is",
                        new Pickle().op('0', '.').file(),
                        "the pickle takes more than it has"),
                Arguments.of(
                        "a mark that is not there",
                        new Pickle().op('t', '.').file(),
                        "the pickle takes a mark that is not there"),
                Arguments.of(
                        "an instruction of classes",
                        new Pickle().op('}', 0x82, '.').file(),
                        "the pickle has an instruction 0x82, which checkpoints do not need"),
                Arguments.of(
                        "an old protocol",
                        new Pickle().op(0x80, 0, '.').file(),
                        "the pickle is of protocol 0"),
                Arguments.of(
                        "a call of a text",
                        Pickle.dictOf(p -> p.text("os.system").op(')', 'R')),
                        "the pickle calls what is not a function"),
                Arguments.of(
                        "attributes of a list",
                        Pickle.dictOf(p -> p.op(']', '}', 'b')),
                        "the pickle sets attributes of what is not an object"),
                Arguments.of(
                        "an offset beyond the storage",
                        Pickle.dictOf(p -> p.tensor(2, 2, 1, 1)),
                        "x reaches beyond its storage, data/0 of 8 bytes"),
                Arguments.of(
                        "a stride beyond the storage",
                        Pickle.dictOf(p -> p.tensor(2, 0, 2, 2)),
                        "x reaches beyond its storage, data/0 of 8 bytes"),
                Arguments.of(
                        "a stride beyond all numbers",
                        Pickle.dictOf(p -> p.tensor(2, 0, 9, Long.MAX_VALUE)),
                        "x reaches beyond its storage"),
                Arguments.of(
                        "a size beyond all numbers",
                        Pickle.dictOf(p -> p.tensor(2, 0, Long.MAX_VALUE, 0)),
                        "x is said to have the shape (9223372036854775807)"),
                Arguments.of(
                        "a negative size",
                        Pickle.dictOf(p -> p.tensor(2, 0, -1, 1)),
                        "the pickle has a tensor with a size below 0 or none at all"),
                Arguments.of(
                        "a negative offset",
                        Pickle.dictOf(p -> p.tensor(2, -1, 1, 1)),
                        "the pickle has a tensor that is not one"),
                Arguments.of(
                        "a number repeated half a billion times",
                        Pickle.dictOf(p -> p.tensor(2, 0, 500_000_000, 0)),
                        "the tensors take more than eight times the file"));
    }

    /** What is no tensor is never looked into. */
    @Test
    void passesOverOtherValues() throws IOException {
        byte[] key = Pickle.dictOf(p -> p.op('}', ']', 'q', 1, 'h', 1, 'a', ']', 's'));
        try (StateDict dict = StateDict.read(new ByteArrayInputStream(key))) {
            assertEquals(0, dict.names().size(), "a key that holds itself");
        }
        byte[] file = Pickle.dictOf(p -> laughs(p.global("torch", "device")).op(0x85, 'R'));
        try (StateDict dict = StateDict.read(new ByteArrayInputStream(file))) {
            assertEquals(0, dict.names().size());
        }
    }

    /** Each list holds the one before it ten times. */
    private static Pickle laughs(Pickle p) {
        p.op(']', 'q', 0, '0');
        for (int i = 0; i < 30; i++) {
            p.op(']', '(');
            for (int j = 0; j < 10; j++) {
                p.op('h', i);
            }
            p.op('e', 'q', i + 1, '0');
        }
        return p.op('h', 30);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostile")
    void refusesHostilePickles(String what, byte[] file, String message) {
        assertUnreadable(message, file);
    }

    @Test
    void refusesDamagedArchives() throws IOException {
        byte[] pickle = Pickle.dictOf(p -> p.tensor(2, 0, 2, 1));
        StateDict.read(new ByteArrayInputStream(pickle)).close();
        String text = new String(pickle, StandardCharsets.ISO_8859_1);
        assertUnreadable(
                "a/data/0 is missing",
                text.replace("a/data/0", "a/data/1").getBytes(StandardCharsets.ISO_8859_1));
        byte[] flipped = pickle.clone();
        flipped[text.indexOf("a/data/0") + 12] ^= 1;
        assertUnreadable("a/data/0 is damaged: its checksum differs", flipped);
        assertUnreadable(
                "data.pkl comes twice",
                archive(Map.of("a/data.pkl", new byte[1], "b/data.pkl", new byte[1])));
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(file)) {
            zip.putNextEntry(new ZipEntry("a/data.pkl"));
            zip.write(new byte[1 << 20]);
        }
        assertUnreadable("a/data.pkl is compressed, which PyTorch's are not", file.toByteArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"types", "protocol_4", "no_checksums", "nested"})
    void refusesFilesThatAreCutOff(String name) throws IOException {
        byte[] whole = StateDictFileTest.bytesOf("checkpoint_" + name + ".pt");
        for (int length = 0; length < whole.length; length += 7) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(
                    IOException.class,
                    () -> StateDict.read(new ByteArrayInputStream(part)).close(),
                    "cut at " + length);
        }
    }

    /** Whatever a file holds, it is read or an error, never something else. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "checkpoint_types.pt",
                "checkpoint_no_checksums.pt",
                "checkpoint_protocol_4.pt",
                "checkpoint_nested.pt",
                "types.safetensors",
                "types.npz",
                "compressed.npz"
            })
    void survivesDamage(String name) throws IOException {
        byte[] whole = StateDictFileTest.bytesOf(name);
        Random random = new Random(name.hashCode());
        int refused = 0;
        for (int round = 0; round < 1500; round++) {
            byte[] damaged = whole.clone();
            for (int flips = random.nextInt(1, 5); flips > 0; flips--) {
                damaged[random.nextInt(whole.length)] = (byte) random.nextInt(256);
            }
            if (round % 5 == 0) {
                damaged = Arrays.copyOf(damaged, random.nextInt(whole.length));
            }
            try (StateDict dict = StateDict.read(new ByteArrayInputStream(damaged))) {
                dict.arrays().values().forEach(Tensors::doubles);
            } catch (IOException e) {
                assertTrue(e.getMessage().startsWith("StateDict: the stream: "), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 200, refused + " of 1500");
    }

    @Test
    void errorsNameTheFile(@TempDir Path folder) throws IOException {
        Path file =
                Files.write(
                        folder.resolve("w.pt"), StateDictFileTest.bytesOf("checkpoint_tensor.pt"));
        IOException e = assertThrows(IOException.class, () -> StateDict.read(file));
        assertEquals(
                "StateDict: "
                        + file
                        + ": a single tensor without a name; save a dict in Python:"
                        + " torch.save({\"weight\": torch.load(path, map_location=\"cpu\","
                        + " weights_only=True)}, new_path)",
                e.getMessage());
    }
}
