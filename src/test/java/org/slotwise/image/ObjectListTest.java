package org.slotwise.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Model;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringReader;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Crop;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class ObjectListTest {

    /**
     * Of four slots the second has the left column of 3 x 4, the third two pixels, none the last.
     */
    private static DiscoveredObjects found(NDManager manager, BackgroundSlot background) {
        float[] values = new float[4 * 12];
        for (int i = 0; i < 12; i++) {
            boolean left = i % 4 == 0;
            boolean pair = i == 6 || i == 7;
            values[i] = left || pair ? 0.1f : 0.7f;
            values[12 + i] = left ? 0.6f : 0.1f;
            values[24 + i] = pair ? 0.8f : 0.1f;
            values[36 + i] = left ? 0.2f : 0;
        }
        SlotMasks masks = SlotMasks.of(manager.create(values, new Shape(4, 3, 4)));
        float[][] slots = {{0, 1}, {2, Float.NaN}, {4, 5}, {6, 7}};
        return new DiscoveredObjects(
                masks.categories(3, 4, background.names(masks.sizes())),
                masks,
                slots,
                List.of(),
                List.of(),
                null);
    }

    /** Of a smaller copy of an image to the image itself. */
    @Test
    void comesBackAtAnotherSize(NDManager manager) {
        DiscoveredObjects small = found(manager, BackgroundSlot.largest());
        DiscoveredObjects large = small.resized(30, 80);
        ObjectList list = large.objects();
        assertEquals("ObjectList[2 objects and a background in 30 x 80]", list.toString());
        assertEquals(new PixelBox(0, 0, 19, 30), list.objects().get(0).box(), "between columns");
        assertEquals(list.objects().get(0).mask().area(), list.objects().get(0).area());
        assertEquals(small.objects().toJson(), small.resized(3, 4).objects().toJson());
        assertRefused(
                "DiscoveredObjects: height must be at least 1, got 0", () -> small.resized(0, 4));
        assertRefused(
                "DiscoveredObjects: width must be at least 1, got -1", () -> small.resized(3, -1));
        assertEquals(1, small.resized(1, 1).segmentation().getMask().length);
    }

    /** What the model did not see stays outside, and in its place. */
    @Test
    void aWindowComesBackAtAnotherSize(NDManager manager) {
        DiscoveredObjects whole = found(manager, BackgroundSlot.none());
        Crop window = new Crop(0, 2, 3, 4);
        SlotMasks masks = whole.masks();
        DiscoveredObjects part =
                new DiscoveredObjects(
                        masks.categories(3, 8, window, BackgroundSlot.none()),
                        masks,
                        whole.slots(),
                        List.of(),
                        List.of(),
                        null,
                        window,
                        0);
        DiscoveredObjects large = part.resized(6, 17);
        assertEquals(new Crop(0, 4, 6, 9), large.window());
        int[] row = large.segmentation().getMask()[3];
        assertEquals(4, row[3], "outside");
        assertEquals(1, row[4]);
        assertEquals(4, row[13], "outside");
        assertEquals(part.segmentation().getClasses(), large.segmentation().getClasses());
        assertEquals(part.objects().count(), large.objects().count());
        assertEquals(new Crop(0, 0, 1, 1), part.resized(1, 1).window());
    }

    @Test
    void saysWhatThereIs(NDManager manager) {
        ObjectList list = found(manager, BackgroundSlot.largest()).objects();
        assertEquals("ObjectList[2 objects and a background in 3 x 4]", list.toString());
        assertEquals(2, list.count());
        DiscoveredObject column = list.objects().get(0);
        assertEquals(1, column.slot());
        assertEquals(new PixelBox(0, 0, 1, 3), column.box());
        assertEquals(3, column.area());
        assertEquals(0.5, column.centre().getX());
        assertEquals(1.5, column.centre().getY());
        assertEquals(0.6, column.score(), 1e-6);
        assertArrayEquals(new float[] {2, Float.NaN}, column.vector());
        assertArrayEquals(
                new int[] {0, 3, 9}, RunLengthEncoding.of(column.mask()).counts()); // one column
        DiscoveredObject pair = list.objects().get(1);
        assertEquals(
                "DiscoveredObject[slot 2, 2 pixels in 1 x 2 at (1, 2), score 0.80]",
                pair.toString());
        assertEquals(3, pair.centre().getX());
        DiscoveredObject background = assertNotNullAnd(list.background());
        assertEquals(0, background.slot());
        assertEquals(7, background.area());
        assertEquals(0.7 / 0.9, background.score(), 1e-6);
    }

    private static DiscoveredObject assertNotNullAnd(DiscoveredObject object) {
        assertNotNull(object);
        return object;
    }

    @Test
    void withoutABackgroundAllAreObjects(NDManager manager) {
        ObjectList list = found(manager, BackgroundSlot.none()).objects();
        assertEquals("ObjectList[3 objects in 3 x 4]", list.toString());
        assertNull(list.background());
        // A slot without pixels is neither.
        ObjectList none = found(manager, BackgroundSlot.number(3)).objects();
        assertEquals(3, none.count());
        assertNull(none.background());
    }

    @Test
    void givesLabels(NDManager manager) {
        ObjectList list = found(manager, BackgroundSlot.largest()).objects();
        NDArray labels = list.labels(manager);
        assertEquals(new Shape(1, 3, 4), labels.getShape());
        assertArrayEquals(new long[] {1, 0, 0, 0, 1, 0, 2, 2, 1, 0, 0, 0}, labels.toLongArray());
        assertArrayEquals(
                new long[] {1, -1, -1, -1, 1, -1, 2, 2, 1, -1, -1, -1},
                new ObjectList(3, 4, list.objects(), null).labels(manager).toLongArray());
    }

    /** Scores are shares of what is there, whatever the model gives. */
    @Test
    void scoresAreFrom0To1(NDManager manager) {
        for (float factor : new float[] {1, 1e30f, 1e-30f, -1, 0}) {
            SlotMasks masks =
                    SlotMasks.of(Tensors.normal(manager, 3, 5, 6, 7).mul(factor)); // some below 0
            ObjectList list =
                    new DiscoveredObjects(
                                    masks.categories(13, 9, List.of("a", "b", "c", "d", "e")),
                                    masks,
                                    new float[0][],
                                    List.of(),
                                    List.of(),
                                    null)
                            .objects(0);
            int pixels = 0;
            for (DiscoveredObject object : list.objects()) {
                assertTrue(object.score() >= 0 && object.score() <= 1, object.toString());
                assertEquals(0, object.vector().length);
                pixels += object.area();
            }
            assertEquals(13 * 9, pixels);
        }
    }

    @Test
    void comesBackFromJson(NDManager manager) throws IOException {
        ObjectList list = found(manager, BackgroundSlot.largest()).objects();
        String json = list.toJson();
        assertEquals(list, ObjectList.fromJson(json));
        JsonReader strict = new JsonReader(new StringReader(json));
        strict.setStrictness(Strictness.STRICT); // refuses NaN
        JsonElement read = JsonParser.parseReader(strict);
        assertTrue(
                read.toString()
                        .contains(
                                "\"mask\":{\"size\":[3,4],\"counts\":\"039\"},\"vector\":[2.0,null]"),
                json);
        ObjectList bare = new ObjectList(3, 4, List.of(), null);
        assertEquals(bare, ObjectList.fromJson(bare.toJson()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense{",
                "[]",
                "3",
                "null",
                "{}",
                "{\"height\":1,\"width\":1,\"objects\":[3]}",
                "{\"height\":1,\"width\":1,\"objects\":[{\"slot\":0}]}",
                "{\"height\":\"x\",\"width\":1,\"objects\":[]}",
                "{\"height\":1,\"width\":1,\"objects\":[{\"slot\":0,\"score\":1,"
                        + "\"mask\":{\"size\":[1],\"counts\":\"1\"},\"vector\":[]}]}",
                "{\"height\":1,\"width\":1,\"objects\":[{\"slot\":0,\"score\":1,"
                        + "\"mask\":{\"size\":[1,1],\"counts\":\"1\"},\"vector\":[]}]}",
                "{\"height\":1,\"width\":2,\"objects\":[{\"slot\":0,\"score\":1,"
                        + "\"mask\":{\"size\":[1,1],\"counts\":\"01\"},\"vector\":[]}]}",
                "{\"height\":1,\"width\":1,\"objects\":[{\"slot\":0,\"score\":7,"
                        + "\"mask\":{\"size\":[1,1],\"counts\":\"01\"},\"vector\":[]}]}"
            })
    void refusesOtherJson(String json) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> ObjectList.fromJson(json))
                        .getMessage();
        assertTrue(message.matches("(?s)(ObjectList|DiscoveredObject|RunLength\\w*): .*"), message);
    }

    @Test
    void refusesWhatDoesNotFit() {
        PixelMask mask = PixelMask.fromPng(new PixelMask(2, 3, new BitSet()).toPng());
        assertFalse(mask.at(1, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> mask.at(0, 3));
        assertThrows(IllegalStateException.class, mask::centre);
        assertRefused(
                "DiscoveredObject: mask must have a pixel, got none",
                () -> new DiscoveredObject(0, 1, mask, new float[0]));
        BitSet bits = BitSet.valueOf(new long[] {1});
        DiscoveredObject one = new DiscoveredObject(0, 1, new PixelMask(2, 3, bits), new float[0]);
        assertRefused(
                "ObjectList: masks must be 3 x 2, got 2 x 3",
                () -> new ObjectList(3, 2, List.of(one), null));
        bits.set(6);
        assertRefused(
                "PixelMask: bits must be below 6, got one of 6", () -> new PixelMask(2, 3, bits));
        assertThrows(IllegalArgumentException.class, () -> PixelMask.fromPng(new byte[9]));
    }

    /** Of pictures that are much smaller, or narrower, than masks other slots win most pixels. */
    @Test
    void theBackgroundIsTheLargestInThePicture() throws Exception {
        Random random = new Random(4);
        ObjectDiscoveryTranslator translator =
                ObjectDiscoveryTranslator.builder()
                        .setImageSize(16, 16)
                        .optBackground(BackgroundSlot.largest())
                        .build();
        try (Model model = Model.newInstance("random")) {
            model.setBlock(
                    new LambdaBlock(
                            in -> {
                                float[] values = new float[4 * 256];
                                for (int i = 0; i < values.length; i++) {
                                    values[i] = random.nextFloat();
                                }
                                NDArray masks =
                                        in.getManager().create(values, new Shape(1, 4, 16, 16));
                                masks.setName("masks");
                                return new NDList(masks);
                            }));
            try (var predictor = model.newPredictor(translator)) {
                for (int i = 0; i < 40; i++) {
                    BufferedImage picture = new BufferedImage(1 + i % 3, 1 + i, 1);
                    ObjectList list =
                            predictor
                                    .predict(ImageFactory.getInstance().fromImage(picture))
                                    .objects(0);
                    int behind = list.background() == null ? 0 : list.background().area();
                    for (DiscoveredObject object : list.objects()) {
                        assertTrue(object.area() <= behind, object + " before " + behind);
                    }
                }
            }
        }
    }
}
