package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

/** Names and types of blocks that are not this library's. */
@ExtendWith(OnDevice.class)
class BlockParametersTest {

    /** A block of a user's, with parameters of one element. */
    private static final class Scale extends AbstractBlock {

        private final DataType type;

        Scale(DataType type, String... names) {
            this.type = type;
            for (String name : names) {
                addParameter(
                        Parameter.builder()
                                .setName(name)
                                .setType(Parameter.Type.OTHER)
                                .optShape(new Shape(1))
                                .optRequiresGrad(type.isFloating())
                                .optInitializer((m, s, t) -> m.ones(s, this.type))
                                .build());
            }
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList in, boolean training, PairList<String, Object> more) {
            return in;
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return shapes;
        }
    }

    private static Scale scale(NDManager manager, DataType type, String... names) {
        Scale block = new Scale(type, names);
        block.initialize(manager, DataType.FLOAT32, new Shape(1));
        return block;
    }

    private static List<String> names(Block block) {
        return List.copyOf(StateDict.of(block).names());
    }

    /** DJL's layers of normalization are called as PyTorch's, and nothing else is. */
    @Test
    void onlyNormalizationHasOtherNames(NDManager manager) {
        Block layer = LayerNorm.builder().build();
        Block batch = BatchNorm.builder().build();
        layer.initialize(manager, DataType.FLOAT32, new Shape(2, 3));
        batch.initialize(manager, DataType.FLOAT32, new Shape(2, 3));
        assertEquals(List.of("weight", "bias"), names(layer));
        assertEquals(List.of("weight", "bias", "running_mean", "running_var"), names(batch));
        assertEquals(
                List.of("gamma", "beta", "other"),
                names(scale(manager, DataType.FLOAT32, "gamma", "beta", "other")));
    }

    @Test
    void namesParametersAsTheirArrays(NDManager manager) {
        Block block = scale(manager, DataType.FLOAT32, "a", "b");
        Map<String, Parameter> parameters = StateDict.parameters(block);
        assertEquals(List.of("a", "b"), List.copyOf(parameters.keySet()));
        assertSame(parameters.get("b").getArray(), StateDict.of(block).get("b"));
        assertThrows(UnsupportedOperationException.class, () -> parameters.remove("a"));
    }

    @Test
    void aDictDoesNotChange(NDManager manager) {
        NDArray a = manager.zeros(new Shape(1));
        StateDict dict = StateDict.of(Map.of("a", a)).withMetadata(Map.of("k", "v"));
        assertThrows(UnsupportedOperationException.class, () -> dict.metadata().remove("k"));
        assertRefused("StateDict: no new name for a", () -> dict.rename(name -> null));
    }

    @Test
    void aReportSaysWhatWouldBeLoaded(NDManager manager) {
        Scale block = scale(manager, DataType.FLOAT32, "a", "b", "c");
        Map<String, NDArray> values = new LinkedHashMap<>();
        values.put("a", manager.zeros(new Shape(1), DataType.FLOAT64));
        values.put("b", manager.zeros(new Shape(2)));
        values.put("c", manager.zeros(new Shape(1), DataType.INT32));
        LoadReport report = StateDict.of(values).report(block);
        assertFalse(report.fits());
        assertEquals(Set.of("a"), report.loaded());
        assertEquals(Set.of(), report.missing());
        assertEquals(
                List.of(
                        "b must be (1), got (2)",
                        "c must be float32, got int32, which is not converted"),
                report.misfits());
    }

    /** Counters and tables: of the same type, and of no other. */
    @Test
    void wholeNumbersAreLoadedAsTheyAre(NDManager manager) {
        Scale block = scale(manager, DataType.INT64, "steps");
        NDArray steps = manager.create(new long[] {7});
        StateDict.of(Map.of("steps", steps)).loadInto(block);
        assertEquals(7, StateDict.of(block).get("steps").getLong());
        assertEquals(
                List.of("steps must be int64, got int32, which is not converted"),
                StateDict.of(Map.of("steps", steps.toType(DataType.INT32, true)))
                        .report(block)
                        .misfits());
        assertEquals(
                List.of("steps must be int64, got float32, which is not converted"),
                StateDict.of(Map.of("steps", steps.toType(DataType.FLOAT32, true)))
                        .report(block)
                        .misfits());
    }

    /** Of several prefixes the one that has all names; none, where each lacks some. */
    @Test
    void aPrefixHasAllNamesOrIsNone(NDManager manager) {
        Scale block = scale(manager, DataType.FLOAT32, "a", "b");
        Map<String, NDArray> values = new LinkedHashMap<>();
        for (String name : List.of("m.a", "n.b", "o.a", "o.c")) {
            values.put(name, manager.zeros(new Shape(1)));
        }
        String message = refusal(values, block);
        assertTrue(message.startsWith("StateDict: cannot load a map into Scale\n"), message);
        values.put("o.b", manager.zeros(new Shape(1)));
        message = refusal(values, block);
        assertTrue(
                message.startsWith(
                        "StateDict: cannot load a map into Scale (its names are there under"
                                + " \"o.\")\n"),
                message);
    }

    private static String refusal(Map<String, NDArray> values, Block block) {
        StateDict dict = StateDict.of(values);
        return assertThrows(IllegalArgumentException.class, () -> dict.loadInto(block))
                .getMessage();
    }
}
