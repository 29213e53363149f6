package org.slotwise.api;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.testing.Tensors;

/** What no caller should pass, but may, by the type of the argument. */
final class BadArguments {

    private static final long MANY = 1L << 30;

    private BadArguments() {}

    /** Bad values for a parameter of a type, of which a good one is known or null. */
    static List<Object> of(Type generic, @Nullable Object good, NDManager manager) {
        Class<?> type =
                generic instanceof ParameterizedType p
                        ? (Class<?>) p.getRawType()
                        : generic instanceof Class<?> c ? c : Object.class;
        if (type == NDArray.class) {
            return new ArrayList<>(arrays(manager, (NDArray) good));
        }
        if (type == NDList.class) {
            return new ArrayList<>(lists(manager, (NDList) good));
        }
        if (type == NDManager.class) {
            return List.of(closed(manager));
        }
        if (type == ParameterStore.class) {
            return List.of(new ParameterStore(closed(manager), true));
        }
        if (type == FeatureExtractorOutput.class || type == PerceptualGroupingOutput.class) {
            return outputs(type, manager, good);
        }
        if (type == List.class || type == java.util.Collection.class) {
            return collections(((ParameterizedType) generic).getActualTypeArguments()[0], manager);
        }
        if (type == Map.class) {
            return List.of(Map.of(), new HashMap<>(Collections.singletonMap("nothing", null)));
        }
        if (type.isEnum()) {
            return List.of(type.getEnumConstants());
        }
        return simple(type);
    }

    private static List<Object> simple(Class<?> type) {
        if (type == int.class || type == Integer.class) {
            return List.of(Integer.MIN_VALUE, -1, 0, 7, 1 << 30, Integer.MAX_VALUE);
        }
        if (type == long.class || type == Long.class) {
            return List.of(Long.MIN_VALUE, -1L, 0L, MANY, Long.MAX_VALUE);
        }
        if (type == double.class) {
            return new ArrayList<>(doubles());
        }
        if (type == float.class) {
            return doubles().stream().<Object>map(Double::floatValue).toList();
        }
        if (type == boolean.class) {
            return List.of(false, true);
        }
        if (type == byte.class) {
            return List.of((byte) -1);
        }
        if (type == String.class) {
            return List.of("", " ", "\0", "no/such thing", "x".repeat(10_000));
        }
        if (type == Path.class) {
            return List.of(Path.of(""), Path.of("no", "such", "file"), Path.of("target"));
        }
        if (type == Shape.class) {
            return new ArrayList<>(shapes());
        }
        if (type == Shape[].class) {
            return shapeLists();
        }
        if (type == DataType.class) {
            return List.of((Object[]) DataType.values());
        }
        return type.isArray() ? javaArrays(type) : List.of();
    }

    static List<Double> doubles() {
        return List.of(
                Double.NaN,
                Double.NEGATIVE_INFINITY,
                Double.POSITIVE_INFINITY,
                -1.0,
                -0.0,
                0.0,
                Double.MIN_VALUE,
                1e-300,
                1e-50,
                1e-30,
                1e-10,
                1 - 1e-16,
                7.0,
                1e10,
                1e30,
                1e50,
                1e300,
                Double.MAX_VALUE);
    }

    private static List<Object> javaArrays(Class<?> type) {
        if (type == int[].class) {
            int max = Integer.MAX_VALUE;
            return List.of(
                    new int[0], new int[] {0}, new int[] {-1}, new int[] {max, max}, new int[9]);
        }
        if (type == long[].class) {
            long max = Long.MAX_VALUE;
            return List.of(
                    new long[0],
                    new long[] {0},
                    new long[] {-1},
                    new long[] {MANY, MANY},
                    new long[] {max});
        }
        if (type == double[].class) {
            return List.of(new double[0], new double[] {Double.NaN}, new double[5]);
        }
        if (type == float[].class) {
            return List.of(new float[0], new float[] {Float.NaN, 1, 1}, new float[50]);
        }
        if (type == float[][].class) {
            return List.of(
                    new float[0][], new float[1][], new float[][] {{1}, {1, 2}}, new float[2][0]);
        }
        if (type == byte[].class) {
            return List.of(new byte[0], new byte[1], new byte[1000]);
        }
        if (type == String[].class) {
            return List.of(new String[0], new String[] {""}, new String[1]);
        }
        return List.of();
    }

    private static List<Shape> shapes() {
        return List.of(
                new Shape(),
                new Shape(0),
                new Shape(-1, -1, -1),
                new Shape(MANY, MANY, MANY),
                new Shape(2, 3, 4, 5, 6, 7, 8));
    }

    private static List<Object> shapeLists() {
        List<Object> lists = new ArrayList<>();
        lists.add(new Shape[0]);
        lists.add(new Shape[1]);
        for (Shape shape : shapes()) {
            for (int count = 1; count < 5; count++) {
                Shape[] same = new Shape[count];
                Arrays.fill(same, shape);
                lists.add(same);
            }
        }
        return lists;
    }

    static NDManager closed(NDManager manager) {
        NDManager closed = manager.newSubManager();
        closed.close();
        return closed;
    }

    /** Of other ranks, sizes and types, closed, and full of what is no number. */
    static List<NDArray> arrays(NDManager manager, @Nullable NDArray good) {
        List<NDArray> bad = new ArrayList<>();
        for (long[] shape :
                new long[][] {
                    {},
                    {0},
                    {1},
                    {3},
                    {1, 1},
                    {2, 9},
                    {0, 3, 4},
                    {1, 1, 1},
                    {2, 3, 4},
                    {2, 3, 5, 6},
                    {1, 3, 0, 0},
                    {1, 2, 1, 2, 1},
                    {1, 1, 1, 1, 1, 1}
                }) {
            bad.add(manager.zeros(new Shape(shape)));
        }
        NDArray like = good == null ? Tensors.normal(manager, 1, 2, 3, 4) : good;
        if (like.getDataType() == DataType.FLOAT32) {
            for (DataType type :
                    new DataType[] {
                        DataType.FLOAT64,
                        DataType.FLOAT16,
                        DataType.INT32,
                        DataType.INT64,
                        DataType.UINT8,
                        DataType.INT8,
                        DataType.BOOLEAN
                    }) {
                bad.add(like.toType(type, true));
            }
            for (float value :
                    new float[] {Float.NaN, Float.POSITIVE_INFINITY, 1e38f, Float.MIN_VALUE}) {
                bad.add(like.zerosLike().add(value));
            }
        } else {
            bad.add(like.toType(DataType.FLOAT32, true));
        }
        NDArray closed = like.duplicate();
        closed.close();
        bad.add(closed);
        try (NDManager other = manager.newSubManager()) {
            NDArray gone = like.duplicate();
            gone.attach(other);
            bad.add(gone);
        }
        bad.add(FakeEngine.array(like));
        return bad;
    }

    private static List<NDList> lists(NDManager manager, @Nullable NDList given) {
        NDList good = given == null ? new NDList(Tensors.normal(manager, 1, 2, 3, 4)) : given;
        List<NDList> bad = new ArrayList<>();
        bad.add(new NDList());
        NDList missing = new NDList();
        missing.add(null);
        bad.add(missing);
        NDList twice = new NDList(good);
        twice.addAll(good);
        bad.add(twice);
        for (int i = 0; i < good.size(); i++) {
            NDList without = new NDList(good);
            without.remove(i);
            bad.add(without);
            for (NDArray array : arrays(manager, good.get(i))) {
                NDList other = new NDList(good);
                other.set(i, array);
                bad.add(other);
            }
        }
        for (int count = 1; count < 6; count++) {
            NDList unnamed = new NDList();
            for (int i = 0; i < count; i++) {
                unnamed.add(manager.zeros(new Shape(2, 3, 4)));
            }
            bad.add(unnamed);
        }
        return bad;
    }

    private static List<Object> outputs(Class<?> type, NDManager manager, @Nullable Object good) {
        List<Object> bad = new ArrayList<>();
        NDArray like = good instanceof FeatureExtractorOutput f ? f.features() : null;
        for (NDArray array : arrays(manager, like)) {
            try {
                bad.add(
                        type == FeatureExtractorOutput.class
                                ? new FeatureExtractorOutput(array)
                                : new PerceptualGroupingOutput(array, array, array));
            } catch (IllegalArgumentException e) {
                // It is refused before it can be passed on.
            }
        }
        if (good instanceof FeatureExtractorOutput f) {
            NDArray late = f.features().duplicate();
            bad.add(new FeatureExtractorOutput(late));
            late.close();
        }
        return bad;
    }

    private static List<Object> collections(Type element, NDManager manager) {
        List<Object> bad = new ArrayList<>();
        bad.add(List.of());
        bad.add(new ArrayList<>(Collections.singletonList(null)));
        for (Object value : of(element, null, manager)) {
            bad.add(List.of(value));
            bad.add(List.of(value, value));
        }
        return bad;
    }
}
