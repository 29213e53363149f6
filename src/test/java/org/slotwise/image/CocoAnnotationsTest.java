package org.slotwise.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.image.CocoAnnotations.Picture;
import org.slotwise.testing.Python;

class CocoAnnotationsTest {

    /** Bars of random heights, one for each slot, before a background. */
    private static ObjectList bars(Random random, int height, int width, int count) {
        List<DiscoveredObject> objects = new ArrayList<>();
        BitSet rest = new BitSet();
        rest.set(0, height * width);
        for (int k = 0; k < count; k++) {
            BitSet bits = new BitSet();
            int high = 1 + random.nextInt(height);
            for (int y = 0; y < high; y++) {
                for (int x = k * width / count + 1; x < (k + 1) * width / count; x++) {
                    bits.set(y * width + x);
                }
            }
            rest.andNot(bits);
            PixelMask mask = new PixelMask(height, width, bits);
            objects.add(new DiscoveredObject(k + 1, random.nextDouble(), mask, new float[0]));
        }
        PixelMask behind = new PixelMask(height, width, rest);
        return new ObjectList(
                height, width, objects, new DiscoveredObject(0, 0.5, behind, new float[0]));
    }

    private static CocoAnnotations some() {
        Random random = new Random(2);
        return new CocoAnnotations(
                List.of(
                        new Picture(7, "a.png", bars(random, 20, 30, 3)),
                        new Picture(1L << 40, "b \"é\".png", bars(random, 9, 40, 4)),
                        new Picture(0, "none.png", new ObjectList(5, 5, List.of(), null))));
    }

    @Test
    void comesBack() {
        CocoAnnotations some = some();
        assertEquals("CocoAnnotations[7 objects in 3 images]", some.toString());
        assertEquals(some, CocoAnnotations.fromJson(some.toJson()));
        assertTrue(some.toJson().contains("\"id\":1,\"image_id\":7,\"category_id\":2"));
        assertTrue(some.toResultsJson().startsWith("[{\"id\":1,\"image_id\":7,\"category_id\":1"));
    }

    /** COCO's own categories have a supercategory; annotation tools write one back. */
    @Test
    void knowsTheBackgroundWhateverElseIsSaidOfIt() {
        String json =
                some().toJson()
                        .replace(
                                "{\"id\":2,\"name\":\"background\"}",
                                "{\"supercategory\":\"stuff\",\"id\":2,\"name\":\"background\",\"isthing\":0}");
        assertEquals(some(), CocoAnnotations.fromJson(json));
        String named = json.replace("\"name\":\"background\"", "\"name\":\"cat\"");
        assertEquals(4, CocoAnnotations.fromJson(named).images().get(0).objects().count());
    }

    @Test
    void readsWhatOthersWrite() {
        String json =
                "{\"images\":[{\"id\":1,\"file_name\":\"x\",\"height\":2,\"width\":2}],"
                        + "\"annotations\":[{\"image_id\":1,\"category_id\":2,\"segmentation\":"
                        + "{\"size\":[2,2],\"counts\":[1,2,1]}}]}";
        ObjectList list = CocoAnnotations.fromJson(json).images().get(0).objects();
        assertEquals(1, list.count());
        assertEquals(1, list.objects().get(0).score());
        assertEquals(2, list.objects().get(0).area());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{}",
                "{\"images\":[],\"annotations\":[{}]}",
                "{\"images\":[{}],\"annotations\":[]}",
                "{\"images\":[{\"id\":1,\"file_name\":\"x\",\"height\":2,\"width\":2}],"
                        + "\"annotations\":[{\"image_id\":1,\"category_id\":1,"
                        + "\"segmentation\":[[1,2,3,4,5,6]]}]}"
            })
    void refusesOtherForms(String json) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> CocoAnnotations.fromJson(json))
                        .getMessage();
        assertTrue(message.startsWith("CocoAnnotations: "), message);
    }

    @Test
    void refusesAnIdTwice() {
        Picture picture = new Picture(3, "a", new ObjectList(1, 1, List.of(), null));
        assertRefused(
                "CocoAnnotations: two images have the id 3",
                () -> new CocoAnnotations(List.of(picture, picture)));
    }

    @Test
    void writesWholeFiles(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("coco.json");
        some().write(file);
        assertEquals(some(), CocoAnnotations.fromJson(Files.readString(file)));
        assertThrows(IOException.class, () -> some().write(folder.resolve("no/coco.json")));
    }

    /** COCO's own tools read it: masks, boxes and areas agree, and it agrees with itself. */
    @Test
    void cocosToolsTakeIt(@TempDir Path folder) throws IOException, InterruptedException {
        Python.assumeModules(folder, "pycocotools.coco, pycocotools.cocoeval, numpy");
        some().write(folder.resolve("coco.json"));
        Files.writeString(folder.resolve("results.json"), some().toResultsJson());
        Python.run(
                folder,
                """
                from pycocotools.coco import COCO
                from pycocotools.cocoeval import COCOeval
                from pycocotools import mask
                truth = COCO("coco.json")
                assert len(truth.anns) == 9, truth.anns
                for ann in truth.anns.values():
                    rle = truth.annToRLE(ann)
                    assert mask.area(rle) == ann["area"], ann
                    assert mask.toBbox(rle).tolist() == ann["bbox"], ann
                found = truth.loadRes("results.json")
                score = COCOeval(truth, found, "segm")
                score.params.catIds = [1]
                score.evaluate(); score.accumulate(); score.summarize()
                assert score.stats[0] > 0.999, score.stats
                """);
    }
}
