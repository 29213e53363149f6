package org.slotwise.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against what pycocotools says of the same masks: src/test/python/make_run_lengths.py. */
class RunLengthEncodingTest {

    private static int[] ints(JsonArray json) {
        return json.asList().stream().mapToInt(JsonElement::getAsInt).toArray();
    }

    private static PixelMask mask(JsonArray rows) {
        int width = rows.get(0).getAsString().length();
        BitSet bits = new BitSet();
        for (int y = 0; y < rows.size(); y++) {
            for (int x = 0; x < width; x++) {
                bits.set(y * width + x, rows.get(y).getAsString().charAt(x) == '1');
            }
        }
        return new PixelMask(rows.size(), width, bits);
    }

    static List<JsonObject> cases() throws IOException {
        try (InputStream in =
                RunLengthEncodingTest.class.getResourceAsStream("/image/run-lengths.json")) {
            List<JsonObject> cases = new ArrayList<>();
            JsonParser.parseReader(
                            new InputStreamReader(
                                    Objects.requireNonNull(in), StandardCharsets.UTF_8))
                    .getAsJsonArray()
                    .forEach(json -> cases.add(json.getAsJsonObject()));
            return cases;
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isCocos(JsonObject json) {
        PixelMask mask = mask(json.getAsJsonArray("rows"));
        int[] size = ints(json.getAsJsonArray("size"));
        int[] box = ints(json.getAsJsonArray("bbox"));
        String compressed = json.get("compressed").getAsString();
        RunLengthEncoding encoding = RunLengthEncoding.of(mask);
        assertArrayEquals(ints(json.getAsJsonArray("counts")), encoding.counts());
        assertEquals(compressed, encoding.compressed());
        assertEquals(encoding, RunLengthEncoding.parse(size[0], size[1], compressed));
        assertEquals(mask, encoding.mask());
        assertEquals(json.get("area").getAsInt(), mask.area());
        assertEquals(new PixelBox(box[0], box[1], box[2], box[3]), mask.box());
        assertEquals(mask, PixelMask.fromPng(mask.toPng()));
    }

    @Test
    void roundTrips() {
        Random random = new Random(1);
        for (int i = 0; i < 200; i++) {
            int height = 1 + random.nextInt(20);
            int width = 1 + random.nextInt(20);
            BitSet bits = new BitSet();
            double share = random.nextDouble();
            for (int j = 0; j < height * width; j++) {
                bits.set(j, random.nextDouble() < share);
            }
            PixelMask mask = new PixelMask(height, width, bits);
            RunLengthEncoding encoding = RunLengthEncoding.of(mask);
            assertEquals(mask, encoding.mask());
            assertEquals(
                    mask, RunLengthEncoding.parse(height, width, encoding.compressed()).mask());
            assertEquals(mask, PixelMask.fromPng(mask.toPng()));
        }
    }

    /** Other writers have runs of no pixels. */
    @Test
    void takesRunsOfNothing() {
        PixelMask mask = new RunLengthEncoding(2, 2, 0, 1, 0, 1, 2, 0).mask();
        assertArrayEquals(new int[] {0, 2, 2}, RunLengthEncoding.of(mask).counts());
        assertTrue(mask.at(0, 0) && mask.at(1, 0));
        assertFalse(mask.at(0, 1) || mask.at(1, 1));
    }

    @Test
    void refusesWrongCounts() {
        assertRefused(
                "RunLengthEncoding: counts must sum to 2 x 3, got 5",
                () -> new RunLengthEncoding(2, 3, 2, 3));
        assertRefused(
                "RunLengthEncoding: counts must sum to 2 x 3, got 4294967294",
                () -> new RunLengthEncoding(2, 3, Integer.MAX_VALUE, Integer.MAX_VALUE));
        assertRefused(
                "RunLengthEncoding: counts must be at least 0, got -1",
                () -> new RunLengthEncoding(2, 3, 7, -1));
        assertRefused(
                "RunLengthEncoding: the size must be at least 1 x 1, got 0 x 3",
                () -> new RunLengthEncoding(0, 3));
    }

    /** A text that ends within a number, other characters, numbers without an end, wrong sums. */
    @ParameterizedTest
    @ValueSource(strings = {"", "P", "6P", "6\0", "6é", "7", "/", "ooooooooooooooo", "O", "123O"})
    void refusesOtherTexts(String text) {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> RunLengthEncoding.parse(2, 3, text))
                        .getMessage();
        assertTrue(message.startsWith("RunLengthEncoding: "), message);
    }

    @ParameterizedTest
    @CsvSource({"0, 3", "-1, 3", "3, 0", "65536, 65536"})
    void refusesSizes(int height, int width) {
        assertThrows(
                IllegalArgumentException.class, () -> RunLengthEncoding.parse(height, width, "6"));
        assertThrows(
                IllegalArgumentException.class, () -> new PixelMask(height, width, new BitSet()));
    }
}
