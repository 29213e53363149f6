package org.slotwise.data.generated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.ClevrObject.Colour;
import org.slotwise.data.ClevrObject.Material;
import org.slotwise.data.ClevrObject.Shape;
import org.slotwise.data.ClevrObject.Size;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;

/** {@link ClevrLikeScenes} and {@link ClevrObject}. */
class ClevrLikeScenesTest {

    private static final long CHECKSUM = 370733188L;

    private static ClevrLikeScenes.Builder scenes(long size) {
        return ClevrLikeScenes.builder().setSize(size).optSeed(7);
    }

    private static List<ClevrObject> objects(Scene scene) {
        return Arrays.stream(scene.properties()).map(ClevrObject::decode).toList();
    }

    /** These very scenes must come on every system and in every version: results depend on them. */
    @Test
    void scenesNeverChange() {
        CRC32 crc = new CRC32();
        scenes(50)
                .build()
                .open()
                .forEach(
                        scene -> {
                            crc.update(scene.image());
                            crc.update(scene.mask());
                            for (float[] row : scene.properties()) {
                                for (float value : row) {
                                    crc.update(Float.floatToIntBits(value) >>> 8);
                                }
                            }
                        });
        assertEquals(CHECKSUM, crc.getValue());
    }

    @Test
    void aSceneDependsOnSeedAndIndexAlone() {
        List<Scene> inOrder = scenes(60).build().open().toList();
        Map<Integer, Scene> parallel = new TreeMap<>();
        List<Integer> mixed = new ArrayList<>(IntStream.range(0, 60).boxed().toList());
        Collections.shuffle(mixed, new Random(1));
        ClevrLikeScenes again = scenes(1L << 40).build();
        mixed.parallelStream()
                .forEach(
                        i -> {
                            Scene scene = again.get(i);
                            synchronized (parallel) {
                                parallel.put(i, scene);
                            }
                        });
        assertEquals(inOrder, List.copyOf(parallel.values()));
        assertEquals(60, inOrder.stream().distinct().count());
        assertNotEquals(inOrder.get(0), scenes(1).optSeed(8).build().get(0));
        assertThrows(IndexOutOfBoundsException.class, () -> scenes(3).build().get(3));
    }

    @Test
    void allAttributesAreAboutEquallyFrequent() {
        Map<Object, Integer> seen = new HashMap<>();
        int[] counts = new int[11];
        int all = 0;
        for (int i = 0; i < 600; i++) {
            Scene scene = scenes(600).build().get(i);
            counts[scene.objectCount()]++;
            for (ClevrObject o : objects(scene)) {
                for (Object value : List.of(o.size(), o.material(), o.shape(), o.colour())) {
                    seen.merge(value, 1, Integer::sum);
                }
                all++;
            }
        }
        for (Object[] values :
                new Object[][] {
                    Size.values(), Material.values(), Shape.values(), Colour.values()
                }) {
            for (Object value : values) {
                double expected = (double) all / values.length;
                assertEquals(expected, seen.get(value), 6 * Math.sqrt(expected), value.toString());
            }
        }
        for (int n = 3; n <= 10; n++) {
            assertEquals(600 / 8.0, counts[n], 40, n + " objects");
        }
        assertEquals(600, Arrays.stream(counts, 3, 11).sum());
    }

    @ParameterizedTest
    @CsvSource({"64, 0.35, 0.7", "128, 0.35, 0.7", "64, 0.5, 0.9"})
    void whatIsSaidIsWhatIsSeen(int side, double small, double large) {
        ClevrLikeScenes scenes = scenes(40).optSide(side).optRadii(small, large).build();
        for (int i = 0; i < 40; i++) {
            Scene scene = scenes.get(i);
            assertEquals(side, scene.height());
            assertEquals(side, scene.width());
            List<ClevrObject> objects = objects(scene);
            assertEquals(objects.size(), scene.objectCount());
            int[] pixels = new int[objects.size() + 1];
            double[] rows = new double[pixels.length];
            double[] columns = new double[pixels.length];
            for (int p = 0; p < scene.mask().length; p++) {
                int label = scene.mask()[p];
                pixels[label]++;
                int row = p / side;
                rows[label] += row + 0.5;
                columns[label] += p % side + 0.5;
            }
            for (int k = 0; k < objects.size(); k++) {
                ClevrObject o = objects.get(k);
                double radius = o.size() == Size.SMALL ? small : large;
                double half = o.shape() == Shape.CUBE ? radius / Math.sqrt(2) : radius;
                assertEquals(half, o.z(), 1e-5, "it stands on the ground");
                double focal = 1.2 * side;
                assertTrue(pixels[k + 1] >= 200 * focal * focal / (350 * 350), "it can be seen");
                double[] at = ClevrLikeScenes.place(o.x(), o.y(), o.z());
                // What others leave of it is not far from its middle.
                double reach = 1.3 * side * radius / 7;
                assertEquals(at[0] * side, rows[k + 1] / pixels[k + 1], reach, "row");
                assertEquals(at[1] * side, columns[k + 1] / pixels[k + 1], reach, "column");
                for (ClevrObject other : objects.subList(0, k)) {
                    double gap =
                            Math.hypot(o.x() - other.x(), o.y() - other.y())
                                    - radius
                                    - (other.size() == Size.SMALL ? small : large);
                    assertTrue(gap >= 0.25 - 1e-5, "gap " + gap);
                }
            }
        }
    }

    /** Without others in the way, the mask of a sphere is where its points are seen. */
    @ParameterizedTest
    @EnumSource(Shape.class)
    void masksAreTheSilhouettesOfTheSolids(Shape shape) {
        Random random = new Random(3);
        int side = 256;
        for (int i = 0; i < 5; i++) {
            double x = 4 * random.nextDouble() - 2;
            double y = 4 * random.nextDouble() - 2;
            double angle = 6 * random.nextDouble();
            SolidForm form = new SolidForm(shape, 0.6);
            ClevrObject object =
                    new ClevrObject(x, y, 0.6, Size.LARGE, Material.METAL, shape, Colour.RED);
            SolidPicture picture =
                    new SolidPicture(
                            side,
                            List.of(
                                    new SolidPicture.Solid(
                                            object, form, Math.cos(angle), Math.sin(angle))));
            byte[] expected = new byte[side * side];
            // Points all over the solid.
            for (int n = 0; n < 400_000; n++) {
                double u = 1.2 * random.nextDouble() - 0.6;
                double v = 1.2 * random.nextDouble() - 0.6;
                double w = 1.2 * random.nextDouble() - 0.6;
                boolean inside =
                        switch (shape) {
                            case CUBE -> true;
                            case SPHERE -> u * u + v * v + w * w <= 0.36;
                            case CYLINDER -> u * u + v * v <= 0.36;
                        };
                if (inside) {
                    double[] at =
                            ClevrLikeScenes.place(
                                    x + Math.cos(angle) * u - Math.sin(angle) * v,
                                    y + Math.sin(angle) * u + Math.cos(angle) * v,
                                    0.6 + w);
                    int row = (int) (at[0] * side);
                    int column = (int) (at[1] * side);
                    expected[row * side + column] = 1;
                }
            }
            int differ = 0;
            int covered = 0;
            for (int p = 0; p < expected.length; p++) {
                covered += picture.mask()[p];
                differ += picture.mask()[p] != expected[p] ? 1 : 0;
            }
            // Only at the rim, where a pixel is covered in part.
            assertTrue(covered > 300 && differ < 0.12 * covered, differ + " of " + covered);
        }
    }

    @Test
    void raysEnterSolidsWhereTheyShould() {
        SolidForm cube = new SolidForm(Shape.CUBE, 1);
        SolidForm sphere = new SolidForm(Shape.SPHERE, 1);
        SolidForm cylinder = new SolidForm(Shape.CYLINDER, 1);
        double none = Double.POSITIVE_INFINITY;
        for (SolidForm form : List.of(cube, sphere, cylinder)) {
            assertEquals(4, form.enters(-5, 0, 0, 1, 0, 0));
            assertEquals(2, form.enters(-5, 0, 0, 2, 0, 0), "in units of the direction");
            assertEquals(4, form.enters(0, 0, 5, 0, 0, -1), "from above");
            assertEquals(4, form.enters(0, 0, -5, 0, 0, 1), "from below");
            assertEquals(none, form.enters(-5, 0, 0, -1, 0, 0), "behind");
            assertEquals(none, form.enters(-5, 0, 1.5, 1, 0, 0), "above");
            assertEquals(none, form.enters(0, 0, 0, 1, 0, 0), "from inside");
        }
        assertEquals(4, cube.enters(-5, 0.9, 0.9, 1, 0, 0));
        assertEquals(none, sphere.enters(-5, 0.9, 0.9, 1, 0, 0));
        assertEquals(5 - Math.sqrt(1 - 0.81), cylinder.enters(-5, 0.9, 0.9, 1, 0, 0), 1e-12);
        assertEquals(none, cylinder.enters(0.9, 0.9, 5, 0, 0, -1), "beside the cap");
        assertEquals(4, cylinder.enters(0.6, 0.6, 5, 0, 0, -1), "through the cap");
        double[] normal = new double[3];
        cylinder.normal(0.6, 0.6, 1, normal);
        assertArrayEquals(new double[] {0, 0, 1}, normal);
        cylinder.normal(0.6, -0.8, 0.5, normal);
        assertArrayEquals(new double[] {0.6, -0.8, 0}, normal, 1e-12);
        cube.normal(-1, 0.5, 0.2, normal);
        assertArrayEquals(new double[] {-1, 0, 0}, normal);
        sphere.normal(0, -1, 0, normal);
        assertArrayEquals(new double[] {0, -1, 0}, normal);
    }

    @Test
    void nearerSolidsHideOthers() {
        // Towards the camera from the first object stands the second, and is seen first.
        ClevrObject far =
                new ClevrObject(0, 0, 0.7, Size.LARGE, Material.RUBBER, Shape.CUBE, Colour.RED);
        ClevrObject near =
                new ClevrObject(
                        1.5, -1.3, 0.7, Size.LARGE, Material.RUBBER, Shape.SPHERE, Colour.BLUE);
        List<SolidPicture.Solid> solids =
                List.of(
                        new SolidPicture.Solid(near, new SolidForm(near.shape(), 0.7), 1, 0),
                        new SolidPicture.Solid(far, new SolidForm(far.shape(), 0.7), 1, 0));
        double[] at = ClevrLikeScenes.place(near.x(), near.y(), near.z());
        for (int first = 0; first < 2; first++) {
            List<SolidPicture.Solid> order =
                    first == 0 ? solids : List.of(solids.get(1), solids.get(0));
            SolidPicture picture = new SolidPicture(64, order);
            int row = (int) (at[0] * 64);
            int column = (int) (at[1] * 64);
            int pixel = 64 * row + column;
            assertEquals(first == 0 ? 1 : 2, picture.mask()[pixel]);
            byte[] image = picture.paint();
            assertTrue((image[3 * pixel + 2] & 0xff) > (image[3 * pixel] & 0xff), "blue");
        }
        assertEquals(
                picture(solids).leastSeen(),
                Math.min(count(picture(solids), 1), count(picture(solids), 2)));
    }

    private static SolidPicture picture(List<SolidPicture.Solid> solids) {
        return new SolidPicture(64, solids);
    }

    private static int count(SolidPicture picture, int label) {
        int count = 0;
        for (byte b : picture.mask()) {
            count += b == label ? 1 : 0;
        }
        return count;
    }

    @Test
    void everyAttributeChangesThePicture() {
        ClevrObject one =
                new ClevrObject(0, 0, 0.7, Size.LARGE, Material.METAL, Shape.CUBE, Colour.GREEN);
        byte[] metal = picture(List.of(solid(one))).paint();
        for (ClevrObject other :
                List.of(
                        new ClevrObject(
                                0, 0, 0.7, Size.LARGE, Material.RUBBER, Shape.CUBE, Colour.GREEN),
                        new ClevrObject(
                                0, 0, 0.7, Size.LARGE, Material.METAL, Shape.SPHERE, Colour.GREEN),
                        new ClevrObject(
                                0, 0, 0.7, Size.LARGE, Material.METAL, Shape.CUBE, Colour.BROWN))) {
            byte[] picture = picture(List.of(solid(other))).paint();
            int differ = 0;
            for (int i = 0; i < picture.length; i++) {
                differ += Math.abs((picture[i] & 0xff) - (metal[i] & 0xff)) > 8 ? 1 : 0;
            }
            assertTrue(differ > 20, other.describe() + ": " + differ);
        }
    }

    private static SolidPicture.Solid solid(ClevrObject object) {
        return new SolidPicture.Solid(object, new SolidForm(object.shape(), object.z()), 1, 0);
    }

    @Test
    void optionsChangeTheResultAndAreChecked() {
        assertEquals(
                0, scenes(5).optObjects(0, 0).build().open().mapToInt(Scene::objectCount).sum());
        assertEquals(
                20, scenes(5).optObjects(4, 4).build().open().mapToInt(Scene::objectCount).sum());
        assertEquals(128, scenes(1).optSide(128).build().get(0).width());
        assertNotEquals(scenes(1).build().get(0), scenes(1).optRadii(0.4, 0.7).build().get(0));
        assertEquals(0, scenes(0).build().size());
        String who = "ClevrLikeScenes: ";
        assertRefused(
                who + "size must be at least 0, got -1", () -> ClevrLikeScenes.builder().build());
        assertRefused(who + "side must be 32 to 512, got 31", () -> scenes(1).optSide(31).build());
        assertRefused(
                who + "objects must be 0 <= fewest <= most <= 10, got 3, 11",
                () -> scenes(1).optObjects(3, 11).build());
        assertRefused(
                who + "objects must be 0 <= fewest <= most <= 10, got 4, 3",
                () -> scenes(1).optObjects(4, 3).build());
        assertRefused(
                who + "radii must be 0.2 <= small < large <= 1, got 0.5, 0.5",
                () -> scenes(1).optRadii(0.5, 0.5).build());
        assertRefused(
                who + "radii must be 0.2 <= small < large <= 1, got NaN, 0.5",
                () -> scenes(1).optRadii(Double.NaN, 0.5).build());
    }

    @Test
    void objectsGoToNumbersAndBack() {
        for (Size size : Size.values()) {
            for (Material material : Material.values()) {
                for (Shape shape : Shape.values()) {
                    for (Colour colour : Colour.values()) {
                        ClevrObject o =
                                new ClevrObject(-3, 1.5, 0.75, size, material, shape, colour);
                        float[] row = o.encode();
                        assertEquals(o, ClevrObject.decode(row));
                        assertEquals(ClevrObject.PROPERTIES, row.length);
                        float sum = 0;
                        for (int i = 3; i < 19; i++) {
                            sum += row[i];
                        }
                        assertEquals(5, sum);
                        assertEquals(1, row[18]);
                    }
                }
            }
        }
        float[] row =
                new ClevrObject(3, -3, 0, Size.LARGE, Material.RUBBER, Shape.SPHERE, Colour.PURPLE)
                        .encode();
        assertArrayEquals(
                new float[] {1, 0, 0.5f, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}, row);
        assertEquals("large purple rubber sphere", ClevrObject.decode(row).describe());
        assertRefused(
                "ClevrObject: an object is 19 numbers, got 3", () -> ClevrObject.decode(1, 2, 3));
        float[] bad = row.clone();
        bad[1] = Float.NaN;
        assertThrows(IllegalArgumentException.class, () -> ClevrObject.decode(bad));
    }

    @Test
    void cropsAndSizesKeepTheProperties() {
        Scene scene = scenes(1).build().get(0);
        Scene changed = scene.crop(new Crop(4, 4, 40, 40)).resize(20, 20);
        assertArrayEquals(scene.properties(), changed.properties());
        assertNotEquals(scene, scene.withProperties(new float[scene.objectCount()][1]));
        assertRefused(
                "Scene: properties must have "
                        + scene.objectCount()
                        + " rows, one for each object, got 1",
                () -> scene.withProperties(new float[1][19]));
        float[][] ragged = new float[scene.objectCount()][2];
        ragged[1] = new float[3];
        assertRefused(
                "Scene: all rows of properties must be of one length, got 2 and 3",
                () -> scene.withProperties(ragged));
        Scene without = new Scene(1, 1, new byte[3]);
        assertEquals(false, without.hasProperties());
        assertThrows(IllegalStateException.class, without::properties);
    }
}
