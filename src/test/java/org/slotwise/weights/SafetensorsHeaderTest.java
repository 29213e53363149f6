package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.ndarray.types.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;

/** What else a header may hold, and what it may not: see {@link StateDictFileTest}. */
@ExtendWith(OnDevice.class)
class SafetensorsHeaderTest {

    private static StateDict read(String header, float... data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file =
                ByteBuffer.allocate(8 + json.length + 4 * data.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(json.length)
                        .put(json);
        for (float value : data) {
            file.putFloat(value);
        }
        return StateDict.read(new ByteArrayInputStream(file.array()));
    }

    private static String tensor(String type, String shape, String offsets) {
        return "{\"dtype\":" + type + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
    }

    /** Numbers, lists and nothing at all are passed over. */
    @Test
    void metadataOfOtherKinds() throws IOException {
        String x = "\"x\":" + tensor("\"F32\"", "[1]", "[0,4]");
        String some = "{\"__metadata__\":{\"a\":1,\"b\":\"text\",\"c\":[{}],\"d\":null}," + x + "}";
        try (StateDict dict = read(some, 2.5f)) {
            assertEquals(Map.of("b", "text"), dict.metadata());
            assertEquals(2.5f, dict.get("x").getFloat());
        }
        for (String none : new String[] {"null", "[1,{}]", "\"text\""}) {
            try (StateDict dict = read("{\"__metadata__\":" + none + "," + x + "}", 2.5f)) {
                assertEquals(Map.of(), dict.metadata());
                assertEquals(2.5f, dict.get("x").getFloat());
            }
        }
    }

    /** One without elements begins where the next one does, in whichever order they are named. */
    @Test
    void emptyTensorsTakeNoPlace() throws IOException {
        String empty = "\"empty\":" + tensor("\"F32\"", "[0]", "[4,4]");
        String x = "\"x\":" + tensor("\"F32\"", "[1]", "[0,4]");
        String y = "\"y\":" + tensor("\"F32\"", "[2]", "[4,12]");
        for (String header : new String[] {x + "," + y + "," + empty, empty + "," + y + "," + x}) {
            try (StateDict dict = read("{" + header + "}", 1, 2, 3)) {
                assertEquals(new Shape(0), dict.get("empty").getShape());
                assertEquals(1, dict.get("x").getFloat());
                assertArrayEquals(new float[] {2, 3}, dict.get("y").toFloatArray());
            }
        }
    }

    private static String many(String element, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> element.replace("#", Integer.toString(i)))
                .collect(Collectors.joining(","));
    }

    static Stream<Arguments> refused() {
        String malformed = "the header is malformed: ";
        String rest = ",\"shape\":[1],\"data_offsets\":[0,4]}}";
        return Stream.of(
                Arguments.of(
                        "{\"x\":" + tensor("\"F32\"", "[\"1\"]", "[0,4]") + "}",
                        malformed + "x has a STRING in its shape"),
                Arguments.of(
                        "{\"x\":" + tensor("\"F32\"", "[1]", "[0,\"4\"]") + "}",
                        malformed + "x has a STRING in its data_offsets"),
                Arguments.of(
                        "{\"x\":" + tensor("32", "[1]", "[0,4]") + "}",
                        malformed + "x has a NUMBER in its dtype"),
                Arguments.of(
                        "{\"x\":" + tensor("\"F32\"", "[" + many("1", 1025) + "]", "[0,4]") + "}",
                        malformed + "x has more than 1024 in its shape"),
                Arguments.of(
                        "{\"x\":{" + many("\"#\":0", 1025) + ",\"dtype\":\"F32\"" + rest,
                        malformed + "x has more than 1024 properties"),
                Arguments.of(
                        "{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\"" + rest,
                        malformed + "x has two of dtype"),
                Arguments.of(
                        "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
                        malformed + "the metadata's a comes twice"),
                Arguments.of(
                        "{\"__metadata__\":{" + many("\"#\":0", 200_001) + "}}",
                        malformed + "metadata of more than 200000 texts"),
                Arguments.of(
                        "{\"x\":"
                                + tensor("\"F32\"", "[1]", "[0,4]")
                                + ",\"y\":"
                                + tensor("\"F32\"", "[2]", "[4,12]")
                                + "}",
                        "cut off in y: 0 of 8 bytes"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void refuses(String header, String message) {
        IOException e = assertThrows(IOException.class, () -> read(header, 1).close());
        assertEquals("StateDict: the stream: " + message, e.getMessage());
    }

    /** As many properties as are allowed, three of them known. */
    @Test
    void readsWhatItDoesNotKnow() throws IOException {
        String known = "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]";
        try (StateDict dict = read("{\"x\":{" + many("\"#\":0", 1021) + "," + known + "}}", 3)) {
            assertEquals(3, dict.get("x").getFloat());
        }
    }
}
