package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Files that Python wrote (make_fixtures.py), files that are damaged, and writing. */
@ExtendWith(OnDevice.class)
class StateDictFileTest {

    private static final double[] RAMP = {-1, -0.5, 0, 0.5, 1, 1.5};

    static byte[] bytesOf(String file) throws IOException {
        try (InputStream in = StateDictFileTest.class.getResourceAsStream("/weights/" + file)) {
            return in.readAllBytes();
        }
    }

    static StateDict fixture(String file) throws IOException {
        return read(bytesOf(file));
    }

    private static StateDict read(byte[] bytes) throws IOException {
        return StateDict.read(new ByteArrayInputStream(bytes));
    }

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
    @ValueSource(strings = {"types.safetensors", "types.npz"})
    void readsWhatPythonWrote(String file) throws IOException {
        try (StateDict dict = fixture(file)) {
            Shape two = new Shape(2);
            Shape ramp = new Shape(2, 3);
            assertHolds(dict, "f64", DataType.FLOAT64, ramp, RAMP);
            assertHolds(dict, "f32", DataType.FLOAT32, ramp, RAMP);
            assertHolds(dict, "f16", DataType.FLOAT16, ramp, RAMP);
            assertHolds(dict, "i64", DataType.INT64, two, -(double) (1L << 40), 7);
            assertHolds(dict, "i32", DataType.INT32, two, -(1 << 20), 7);
            assertHolds(dict, "i8", DataType.INT8, two, -128, 7);
            assertHolds(dict, "u8", DataType.UINT8, two, 255, 7);
            assertHolds(dict, "bool", DataType.BOOLEAN, new Shape(3), 1, 0, 1);
            assertHolds(dict, "scalar", DataType.FLOAT32, new Shape(), 2.5);
            assertHolds(dict, "empty", DataType.FLOAT32, new Shape(0, 3));
        }
    }

    @Test
    void readsBfloat16AsFloat32() throws IOException {
        try (StateDict dict = fixture("types.safetensors")) {
            assertHolds(dict, "bf16", DataType.FLOAT32, new Shape(2, 3), RAMP);
            float[] special = dict.get("bf16_special").toFloatArray();
            int[] bits = {0x7f800000, 0xff800000, 0x7fc00000, 0x80000000, 0x7e960000, 0x10000};
            for (int i = 0; i < bits.length; i++) {
                assertEquals(Float.intBitsToFloat(bits[i]), special[i], "element " + i);
                assertEquals(bits[i] < 0, Float.floatToRawIntBits(special[i]) < 0, "sign " + i);
            }
        }
    }

    @Test
    void readsNumpysOrders() throws IOException {
        try (StateDict dict = fixture("types.npz")) {
            Shape ramp = new Shape(2, 3);
            assertHolds(dict, "fortran", DataType.FLOAT32, ramp, RAMP);
            assertHolds(dict, "big_endian", DataType.FLOAT32, ramp, RAMP);
            assertHolds(
                    dict, "big_endian_i64", DataType.INT64, new Shape(2), -(double) (1L << 40), 7);
            double[] count = new double[24];
            Arrays.setAll(count, i -> i);
            assertHolds(dict, "fortran3", DataType.FLOAT64, new Shape(2, 3, 4), count);
            // DJL's reader would leave this one without a name.
            assertHolds(dict, "arr_0", DataType.FLOAT32, new Shape(1), 3);
        }
        try (StateDict dict = fixture("compressed.npz")) {
            assertHolds(dict, "f32", DataType.FLOAT32, new Shape(2, 3), RAMP);
            assertHolds(dict, "zeros", DataType.FLOAT32, new Shape(1000), new double[1000]);
        }
    }

    static Stream<Arguments> unsupported() {
        return Stream.of(
                Arguments.of("object.npz", "x is of type |O, which is not supported"),
                Arguments.of("strings.npz", "x is of type <U1, which is not supported"),
                Arguments.of(
                        "structured.npz",
                        "x is not a plain array: {'descr': [('a', '<f4'), ('b', '<i4')],"
                                + " 'fortran_order': False, 'shape': (2,), }"),
                Arguments.of("uint16.npz", "x is of type <u2, which is not supported"),
                Arguments.of("int16.safetensors", "x is of type I16, which is not supported"),
                Arguments.of("float8.safetensors", "x is of type F8_E4M3, which is not supported"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unsupported")
    void refusesWhatCannotBeRead(String file, String message) throws IOException {
        assertUnreadable(message, bytesOf(file));
    }

    private static void assertUnreadable(String expected, byte[] bytes) {
        IOException e = assertThrows(IOException.class, () -> read(bytes).close());
        assertEquals("StateDict: the stream: " + expected, e.getMessage());
    }

    private static byte[] safetensors(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array();
    }

    private static String tensor(String type, String shape, String offsets) {
        return String.format(
                "{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}", type, shape, offsets);
    }

    private static String floats(int begin, int end) {
        return tensor("F32", "[" + (end - begin) / 4 + "]", "[" + begin + "," + end + "]");
    }

    @Test
    void readsAHeaderWithMoreInIt() throws IOException {
        String entry =
                "{\"data_offsets\": [0, 4], \"new\": [{}], \"shape\": [1], \"dtype\": \"F32\"}";
        String header = "{\"__metadata__\": {\"a\": \"b\"}, \"größe\": " + entry + "}   ";
        try (StateDict dict = read(safetensors(header, 4))) {
            assertHolds(dict, "größe", DataType.FLOAT32, new Shape(1), 0);
        }
        try (StateDict dict = read(safetensors("{}", 0))) {
            assertEquals(0, dict.names().size());
        }
    }

    static Stream<Arguments> damagedHeaders() {
        return Stream.of(
                Arguments.of("{\"x\":" + floats(0, 8) + "}", 7, "cut off in x: 7 of 8 bytes"),
                Arguments.of(
                        "{\"x\":" + floats(0, 8) + "}", 9, "there are bytes after the last tensor"),
                Arguments.of(
                        "{\"x\":" + floats(0, 8) + ",\"y\":" + floats(4, 12) + "}",
                        12,
                        "y begins at 4, expected at 8"),
                Arguments.of(
                        "{\"y\":" + floats(12, 16) + ",\"x\":" + floats(0, 8) + "}",
                        16,
                        "y begins at 12, expected at 8"),
                Arguments.of("{\"x\":" + floats(4, 8) + "}", 8, "x begins at 4, expected at 0"),
                Arguments.of(
                        "{\"x\":" + tensor("F32", "[2,3]", "[0,20]") + "}",
                        20,
                        "x takes 24 bytes, but its offsets are 0 to 20"),
                Arguments.of(
                        "{\"x\":" + tensor("BF16", "[3]", "[0,12]") + "}",
                        12,
                        "x takes 6 bytes, but its offsets are 0 to 12"),
                Arguments.of(
                        "{\"x\":" + tensor("F32", "[-1]", "[0,4]") + "}",
                        4,
                        "the header is malformed: x is said to have the shape [-1]"),
                Arguments.of(
                        "{\"x\":" + tensor("F32", "[4611686018427387904,4]", "[0,0]") + "}",
                        0,
                        "x is said to have the shape (4611686018427387904, 4)"),
                Arguments.of(
                        "{\"x\":" + tensor("F32", "[0,65536,65536]", "[0,0]") + "}",
                        0,
                        "x is said to have the shape (0, 65536, 65536)"),
                Arguments.of(
                        "{\"x\":" + tensor("F32", "[500000000]", "[0,2000000000]") + "}",
                        4,
                        "cut off in x: 4 of 2000000000 bytes"),
                Arguments.of(
                        "{\"x\":" + tensor("Q4", "[1]", "[0,4]") + "}",
                        4,
                        "x is of type Q4, which is not supported"),
                header(
                        "{\"x\":" + tensor("F32", "[1]", "[4,0]") + "}",
                        "x has data_offsets that cannot be: [4, 0]"),
                header(
                        "{\"x\":" + tensor("F32", "[1]", "[-4,0]") + "}",
                        "x has data_offsets that cannot be: [-4, 0]"),
                header(
                        "{\"x\":" + tensor("F32", "[1]", "[0]") + "}",
                        "x has data_offsets that cannot be: [0]"),
                header("{\"x\":{\"shape\":[1],\"data_offsets\":[0,4]}}", "x has no dtype"),
                header("{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "x has no shape"),
                header("{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", "x has no data_offsets"),
                header("{\"x\":" + floats(0, 4) + ",\"x\":" + floats(4, 8) + "}", "x comes twice"),
                header("{} {}", null),
                header("{\"x\":{\"new\":" + "[".repeat(100_000) + "}}", null),
                header("{\"__metadata__\":" + "{\"a\":".repeat(100_000), null),
                header("{\"x\":" + tensor("F32", "[NaN]", "[0,4]") + "}", null),
                header("{\"x\":" + tensor("F32", "[Infinity]", "[0,4]") + "}", null),
                Arguments.of(
                        "{\"x\":" + tensor("F32", "[" + "1,".repeat(64) + "1]", "[0,4]") + "}",
                        4,
                        "x is said to have 65 axes"),
                header("{\"x\":[]}", null),
                header("{\"x\":" + tensor("F32", "\"1\"", "[0,4]") + "}", null),
                header("{\"x\":" + tensor("F32", "[1.5]", "[0,4]") + "}", null),
                header("{\"x\":" + tensor("F32", "[1e99]", "[0,4]") + "}", null),
                header("{\"x\":" + tensor("F32", "[1", "[0,4]") + "}", null),
                header("{x:1}", null),
                header("{", null));
    }

    private static Arguments header(String json, String message) {
        return Arguments.of(
                json, 0, "the header is malformed: " + (message == null ? "" : message));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("damagedHeaders")
    void refusesDamagedSafetensors(String header, int dataBytes, String message) {
        byte[] bytes = safetensors(header, dataBytes);
        IOException e = assertThrows(IOException.class, () -> read(bytes).close());
        String got = e.getMessage();
        assertTrue(got.startsWith("StateDict: the stream: " + message), got);
        assertTrue(message.endsWith(": ") || got.endsWith(message), got);
    }

    private static final long LARGE = 2_362_232_012L;

    /** A file of which nothing but the header and the last array is there. */
    private static Path sparse(Path folder) throws IOException {
        String header =
                "{\"large\":"
                        + tensor("F32", "[" + LARGE / 4 + "]", "[0," + LARGE + "]")
                        + ",\"small\":"
                        + tensor("F32", "[2]", "[" + LARGE + "," + (LARGE + 8) + "]")
                        + "}";
        Path file = folder.resolve("large.safetensors");
        byte[] start = safetensors(header, 0);
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.wrap(start));
            ByteBuffer end = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            channel.write(end.putFloat(1.5f).putFloat(-2).flip(), start.length + LARGE);
        }
        return file;
    }

    /** More than the tests' memory: the large array is passed over, or refused. */
    @Test
    void readsAPartOfAFileLargerThanMemory(@TempDir Path folder) throws IOException {
        Path file = sparse(folder);
        ReadOptions small = ReadOptions.builder().optOnly(name -> name.equals("small")).build();
        try (StateDict dict = StateDict.read(file, small)) {
            assertEquals(List.of("small"), List.copyOf(dict.names()));
            assertHolds(dict, "small", DataType.FLOAT32, new Shape(2), 1.5, -2);
        }
        IOException e = assertThrows(IOException.class, () -> StateDict.read(file));
        assertEquals(
                "StateDict: "
                        + file
                        + ": large takes 2362232012 bytes, more than an array can have; see"
                        + " ReadOptions.optOnly",
                e.getMessage());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(LARGE / 2);
        }
        e = assertThrows(IOException.class, () -> StateDict.read(file, small));
        assertTrue(
                e.getMessage().endsWith(": cut off in large: 1181115848 of 2362232012 bytes"),
                e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"types.safetensors", "types.npz", "checkpoint_types.pt"})
    void readsFloat16AsFloat32IfAsked(String name, @TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve(name), bytesOf(name));
        ReadOptions options = ReadOptions.builder().optFloat16AsFloat32(true).build();
        try (StateDict dict = StateDict.read(file, options);
                StateDict plain = StateDict.read(file)) {
            assertHolds(dict, "f16", DataType.FLOAT32, new Shape(2, 3), RAMP);
            assertHolds(plain, "f16", DataType.FLOAT16, new Shape(2, 3), RAMP);
            assertHolds(dict, "f64", DataType.FLOAT64, new Shape(2, 3), RAMP);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"types.safetensors", "types.npz", "checkpoint_types.pt"})
    void readsOnlyWhatIsAskedFor(String name, @TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve(name), bytesOf(name));
        ReadOptions options = ReadOptions.builder().optOnly(n -> n.startsWith("i")).build();
        try (StateDict dict = StateDict.read(file, options)) {
            assertEquals(new TreeSet<>(List.of("i64", "i32", "i8")), new TreeSet<>(dict.names()));
        }
    }

    @Test
    void refusesAHeaderThatIsNoText() {
        byte[] bytes = safetensors("{\"xy\":" + floats(0, 4) + "}", 4);
        bytes[10] = (byte) 0xc3;
        assertUnreadable("the header is malformed: Input length = 1", bytes);
    }

    @Test
    void refusesAHeaderOfAnImpossibleLength() {
        for (long length : new long[] {-1, Long.MIN_VALUE, 100_000_001, Long.MAX_VALUE}) {
            byte[] bytes = safetensors("{}", 4);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
            assertUnreadable("the header cannot be " + length + " bytes long", bytes);
        }
        byte[] bytes = safetensors("{}", 0);
        bytes[0] = 100;
        assertUnreadable("cut off in the header: 2 of 100 bytes", bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PQ", "short", "this is a text, not weights"})
    void refusesOtherFiles(String text) {
        IOException e =
                assertThrows(
                        IOException.class,
                        () -> read(text.getBytes(StandardCharsets.UTF_8)).close());
        assertEquals(
                "StateDict: the stream: neither a safetensors file nor an npz archive nor one of"
                        + " PyTorch's",
                e.getMessage());
    }

    /** Cut off anywhere, a file is an error, never something else. */
    @ParameterizedTest
    @ValueSource(strings = {"types.safetensors", "types.npz", "compressed.npz"})
    void refusesFilesThatAreCutOff(String file) throws IOException {
        byte[] whole = bytesOf(file);
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(IOException.class, () -> read(part).close(), "cut at " + length);
        }
    }

    /** With a bit flipped anywhere, a file is read or an error, never something else. */
    @ParameterizedTest
    @ValueSource(strings = {"types.safetensors", "types.npz", "compressed.npz"})
    void survivesFlippedBits(String file) throws IOException {
        byte[] whole = bytesOf(file);
        int refused = 0;
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= (byte) (1 << (i % 8));
            try {
                read(damaged).close();
            } catch (IOException e) {
                refused++;
            }
        }
        assertTrue(refused > whole.length / 4, refused + " of " + whole.length);
    }

    private static byte[] npz(Map<String, byte[]> entries) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.setComment("with a comment");
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] npy(String header, int dataBytes) {
        return ByteBuffer.allocate(10 + header.length() + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
                .putShort((short) header.length())
                .put(header.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    private static String floats(String shape) {
        return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
    }

    static Stream<Arguments> damagedArrays() {
        byte[] good = npy(floats("(2,)"), 8);
        byte[] otherMagic = good.clone();
        otherMagic[3] = 'x';
        byte[] otherVersion = good.clone();
        otherVersion[6] = 4;
        byte[] longHeader = good.clone();
        longHeader[6] = 2;
        return Stream.of(
                Arguments.of("wrong magic", otherMagic, "x is not in the npy format"),
                Arguments.of("new version", otherVersion, "x is not in the npy format"),
                Arguments.of("huge header", longHeader, "x has a malformed header"),
                Arguments.of("too short", Arrays.copyOf(good, 5), "cut off in x: 5 of 8 bytes"),
                Arguments.of("few bytes", npy(floats("(2,)"), 7), "cut off in x: 7 of 8 bytes"),
                Arguments.of(
                        "many bytes", npy(floats("(2,)"), 9), "x has bytes after its last element"),
                Arguments.of("no header", npy("", 8), "x is not a plain array: "),
                Arguments.of(
                        "negative size",
                        npy(floats("(-1,)"), 8),
                        "x is not a plain array: " + floats("(-1,)")),
                Arguments.of(
                        "huge size",
                        npy(floats("(99999999999, 2)"), 8),
                        "x is said to have the shape (99999999999, 2)"),
                Arguments.of(
                        "more than a long",
                        npy(floats("(99999999999999999999,)"), 8),
                        "x is said to have the shape (99999999999999999999,)"),
                Arguments.of(
                        "spaces in a number",
                        npy(floats("(1 2)"), 8),
                        "x is said to have the shape (1 2)"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("damagedArrays")
    void refusesDamagedArrays(String what, byte[] array, String message) {
        assertUnreadable(message, npz(Map.of("x.npy", array)));
    }

    @Test
    void refusesDamagedArchives() throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("a.npy", npy(floats("(2,)"), 8));
        entries.put("b.npy", npy(floats("()"), 4));
        byte[] good = npz(entries);
        try (StateDict dict = read(good)) {
            assertEquals(List.of("a", "b"), List.copyOf(dict.names()));
        }
        String text = new String(good, StandardCharsets.ISO_8859_1);
        assertUnreadable(
                "a.npy comes twice",
                text.replace("b.npy", "a.npy").getBytes(StandardCharsets.ISO_8859_1));
        byte[] more = good.clone();
        more[text.lastIndexOf("PK\5\6") + 10] = 7;
        assertUnreadable("a zip archive that is damaged at its end", more);
        byte[] endAlone = Arrays.copyOfRange(good, text.lastIndexOf("PK\5\6"), good.length);
        assertUnreadable("a zip archive that is damaged at its end", endAlone);
        byte[] noDirectory = Arrays.copyOf(good, text.indexOf("PK\1\2"));
        assertUnreadable("a zip archive that is cut off or damaged at its end", noDirectory);
        assertUnreadable("b.txt is not an array", txt(text));
    }

    private static byte[] txt(String archive) {
        return archive.replace("b.npy", "b.txt").getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void errorsNameTheFile(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("w.npz"), bytesOf("object.npz"));
        IOException e = assertThrows(IOException.class, () -> StateDict.read(file));
        assertEquals(
                "StateDict: " + file + ": x is of type |O, which is not supported", e.getMessage());
        Path none = folder.resolve("none.npz");
        assertEquals(
                none + ": there is no file of this name",
                assertThrows(NoSuchFileException.class, () -> StateDict.read(none)).getMessage());
    }

    @ParameterizedTest
    @EnumSource(StateDictFormat.class)
    void writesEveryTypeItReads(StateDictFormat format, @TempDir Path folder) throws IOException {
        Path file = folder.resolve(format == StateDictFormat.NPZ ? "W.NPZ" : "w.safetensors");
        try (StateDict dict = fixture("types.safetensors").select(n -> !n.equals("bf16_special"))) {
            dict.write(file);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            dict.write(bytes, format);
            try (StateDict again = StateDict.read(file);
                    StateDict streamed = read(bytes.toByteArray())) {
                assertEquals(new TreeSet<>(dict.names()), new TreeSet<>(again.names()));
                dict.arrays().forEach((name, a) -> assertSame(name, a, again.get(name)));
                dict.arrays().forEach((name, a) -> assertSame(name, a, streamed.get(name)));
            }
        }
    }

    /** Not laid out in rows, a view of something larger, or waiting for a gradient. */
    @ParameterizedTest
    @EnumSource(StateDictFormat.class)
    void writesViews(StateDictFormat format, NDManager manager) throws IOException {
        NDArray array = Tensors.normal(manager, 1, 3, 4);
        array.setRequiresGradient(true);
        NDArray view = array.transpose().get("1:3");
        NDArray wide = manager.ones(new Shape(1)).broadcast(new Shape(5));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StateDict.of(Map.of("view", view, "wide", wide)).write(bytes, format);
        try (StateDict dict = read(bytes.toByteArray())) {
            assertArrayEquals(Tensors.doubles(view), Tensors.doubles(dict.get("view")));
            assertHolds(dict, "wide", DataType.FLOAT32, new Shape(5), 1, 1, 1, 1, 1);
        }
    }

    @Test
    void namesOfArraysStay(NDManager manager) throws IOException {
        NDArray array = manager.zeros(new Shape());
        array.setName("own");
        StateDict.of(Map.of("other", array))
                .write(OutputStream.nullOutputStream(), StateDictFormat.NPZ);
        assertEquals("own", array.getName());
    }

    @Test
    void refusesWhatCannotBeWritten(NDManager manager, @TempDir Path folder) {
        StateDict dict = StateDict.of(Map.of("x", manager.zeros(new Shape())));
        assertRefused(
                "StateDict: a file must end in .safetensors or .npz, got w.pt",
                () -> dict.write(Path.of("w.pt")));
        NDArray large = manager.zeros(new Shape(1)).broadcast(new Shape(1 << 29));
        StateDict many = StateDict.of(Map.of("x", large));
        NDArray text = manager.create(new String[] {"a"});
        StateDict strings = StateDict.of(Map.of("x", text));
        StateDict half = StateDict.of(Map.of("a\uD800", large.get("0")));
        StateDict reserved = StateDict.of(Map.of("__metadata__", large.get("0")));
        for (StateDictFormat format : StateDictFormat.values()) {
            OutputStream out = OutputStream.nullOutputStream();
            assertRefused(
                    "StateDict: cannot write more than 2 GiB, got 2147483648",
                    () -> many.write(out, format));
            assertRefused(
                    "StateDict: cannot write x, of type string", () -> strings.write(out, format));
            assertRefused(
                    "StateDict: __metadata__ cannot name an array",
                    () -> reserved.write(out, format));
            assertRefused(
                    "StateDict: a\uD800 has half a character: no file has such names",
                    () -> half.write(out, format));
        }
        Path nowhere = folder.resolve("none").resolve("w.npz");
        IOException e = assertThrows(IOException.class, () -> dict.write(nowhere));
        assertTrue(
                e.getMessage()
                        .startsWith(
                                "StateDict: cannot write "
                                        + nowhere
                                        + ": there is no folder "
                                        + nowhere.getParent()),
                e.getMessage());
    }

    /** Whatever goes wrong, the old file stays and nothing lies beside it. */
    @ParameterizedTest
    @ValueSource(strings = {"w.safetensors", "w.npz"})
    void aFailedWriteLeavesTheOldFile(String name, NDManager manager, @TempDir Path folder)
            throws IOException {
        Path file = folder.resolve(name);
        StateDict.of(Map.of("x", manager.ones(new Shape(2)))).write(file);
        byte[] before = Files.readAllBytes(file);
        NDArray closed = manager.zeros(new Shape(2));
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        arrays.put("x", manager.zeros(new Shape(2)));
        arrays.put("y", closed);
        StateDict bad = StateDict.of(arrays);
        closed.close();
        assertThrows(IllegalStateException.class, () -> bad.write(file));
        assertArrayEquals(before, Files.readAllBytes(file));
        assertEquals(List.of(file), list(folder));

        StateDict.of(Map.of("x", manager.zeros(new Shape(2)))).write(file);
        try (StateDict dict = StateDict.read(file)) {
            assertHolds(dict, "x", DataType.FLOAT32, new Shape(2), 0, 0);
        }
        assertEquals(List.of(file), list(folder));

        Path taken = Files.createDirectory(folder.resolve("taken.npz"));
        StateDict good = StateDict.of(Map.of("x", manager.zeros(new Shape(2))));
        assertThrows(IOException.class, () -> good.write(taken));
        assertEquals(new TreeSet<>(List.of(file, taken)), new TreeSet<>(list(folder)));
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void leavesStreamsOpen(NDManager manager) throws IOException {
        StateDict dict = StateDict.of(Map.of("x", manager.ones(new Shape(2))));
        ByteArrayOutputStream bytes =
                new ByteArrayOutputStream() {
                    @Override
                    public void close() {
                        throw new AssertionError("closed");
                    }
                };
        dict.write(bytes, StateDictFormat.SAFETENSORS);
        InputStream in =
                new ByteArrayInputStream(bytes.toByteArray()) {
                    @Override
                    public void close() {
                        throw new AssertionError("closed");
                    }
                };
        StateDict.read(in).close();
        assertEquals(-1, in.read());
    }

    @Test
    void passesOnWhatStreamsThrow(NDManager manager) {
        StateDict dict = StateDict.of(Map.of("x", manager.ones(new Shape(2))));
        OutputStream full =
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("no space left");
                    }
                };
        for (StateDictFormat format : StateDictFormat.values()) {
            IOException e = assertThrows(IOException.class, () -> dict.write(full, format));
            assertEquals("no space left", e.getMessage());
        }
    }

    @Test
    void writesToRelativePaths(NDManager manager) throws IOException {
        Path file = Path.of("state-dict-test-" + System.nanoTime() + ".npz");
        try {
            StateDict.of(Map.of("x", manager.ones(new Shape(2)))).write(file);
            StateDict.read(file).close();
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Test
    void keepsMetadata(NDManager manager, @TempDir Path folder) throws IOException {
        NDArray x = manager.ones(new Shape(3));
        Map<String, String> texts = Map.of("format", "pt", "größe", "\"1\"\\\n\u2028", "", "");
        StateDict dict = StateDict.of(Map.of("a.x", x)).withMetadata(texts);
        assertEquals(Map.of(), StateDict.of(Map.of("a.x", x)).metadata());
        assertEquals(texts, dict.under("a.").rename(name -> name).select(n -> true).metadata());
        Path file = folder.resolve("x.safetensors");
        dict.write(file);
        try (StateDict read = StateDict.read(file)) {
            assertEquals(texts, read.metadata());
            assertArrayEquals(new float[] {1, 1, 1}, read.get("a.x").toFloatArray());
        }
        Path npz = folder.resolve("x.npz");
        dict.write(npz);
        try (StateDict read = StateDict.read(npz)) {
            assertEquals(Map.of(), read.metadata());
        }
    }

    /** Readers that map the file need each tensor at a multiple of its element's size. */
    @Test
    void alignsTensors(NDManager manager) throws IOException {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        arrays.put("bytes", manager.zeros(new Shape(3), DataType.UINT8));
        arrays.put("float", manager.ones(new Shape(1)));
        arrays.put("long", manager.zeros(new Shape(1), DataType.INT64));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StateDict.of(arrays).write(bytes, StateDictFormat.SAFETENSORS);
        ByteBuffer file = ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) file.getLong(0);
        assertEquals(0, header % 8);
        assertEquals(1f, file.getFloat(8 + header + 8));
        assertEquals(8 + header + 8 + 4 + 3, file.capacity());
    }
}
