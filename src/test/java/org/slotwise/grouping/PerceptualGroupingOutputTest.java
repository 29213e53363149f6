package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class PerceptualGroupingOutputTest {

    private NDArray objects;
    private NDArray attributions;
    private NDArray empty;

    @BeforeEach
    void setUp(NDManager manager) {
        objects = manager.ones(new Shape(2, 3, 4));
        attributions = manager.ones(new Shape(2, 3, 5));
        empty = manager.zeros(new Shape(2, 3), DataType.BOOLEAN);
    }

    @Test
    void toAndFromList() {
        NDList list = new PerceptualGroupingOutput(objects, attributions, empty).toNDList();
        assertEquals(
                List.of("objects", "feature_attributions", "is_empty"),
                list.stream().map(NDArray::getName).toList());
        PerceptualGroupingOutput read =
                PerceptualGroupingOutput.from(new NDList(empty, attributions, objects));
        assertSame(objects, read.objects());
        assertSame(attributions, read.attributions());
        assertSame(empty, read.isEmpty());
    }

    @Test
    void withoutNamesGoesByOrderAndType() {
        PerceptualGroupingOutput read =
                PerceptualGroupingOutput.from(new NDList(objects, attributions, empty));
        assertSame(objects, read.objects());
        assertSame(attributions, read.featureAttributions());
        assertSame(empty, read.isEmpty());
        read = PerceptualGroupingOutput.from(new NDList(objects, empty));
        assertSame(empty, read.isEmpty());
        assertNull(read.featureAttributions());
    }

    @Test
    void namesGoBeforeOrderAndType(NDManager manager) {
        NDArray numbers = empty.toType(DataType.INT32, true);
        numbers.setName("is_empty");
        NDArray positions = manager.ones(new Shape(2, 3, 2));
        positions.setName("slot_positions");
        attributions.setName("feature_attributions");
        PerceptualGroupingOutput read =
                PerceptualGroupingOutput.from(
                        new NDList(positions, numbers, attributions, objects));
        assertSame(objects, read.objects());
        assertSame(attributions, read.featureAttributions());
        assertSame(numbers, read.isEmpty());
        objects.setName("objects");
        NDArray other = manager.ones(new Shape(2, 3, 6));
        read = PerceptualGroupingOutput.from(new NDList(other, empty));
        assertSame(other, read.objects());
        read = PerceptualGroupingOutput.from(new NDList(objects, other, positions));
        assertSame(objects, read.objects());
        assertSame(other, read.featureAttributions());
    }

    @Test
    void whatIsNotThereIsLeftOut() {
        PerceptualGroupingOutput only = new PerceptualGroupingOutput(objects, null, null);
        assertEquals(1, only.toNDList().size());
        assertEquals(
                "This grouping gives no feature attributions",
                assertThrows(IllegalStateException.class, only::attributions).getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> new PerceptualGroupingOutput(null, null, null));
    }

    @Test
    void listsThatAreNoGrouping() {
        String expected =
                "PerceptualGroupingOutput: expected objects, feature_attributions and is_empty, got ";
        assertRefused(expected + "0 arrays: ", () -> PerceptualGroupingOutput.from(new NDList()));
        assertRefused(
                expected + "4 arrays: (2, 3, 4), (2, 3, 4), (2, 3, 4), (2, 3, 4)",
                () ->
                        PerceptualGroupingOutput.from(
                                new NDList(objects, objects, objects, objects)));
        // A third one that is not boolean, such as positions whose name was lost.
        assertRefused(
                expected + "3 arrays: (2, 3, 4), (2, 3, 5), (2, 3, 4)",
                () ->
                        PerceptualGroupingOutput.from(
                                new NDList(objects, attributions, objects.duplicate())));
        assertRefused(
                expected + "2 arrays: (2, 3), (2, 3)",
                () -> PerceptualGroupingOutput.from(new NDList(empty, empty.duplicate())));
        NDArray others = objects.duplicate();
        others.setName("objects");
        assertRefused(
                expected + "2 arrays: (2, 3, 4), objects (2, 3, 4)",
                () -> PerceptualGroupingOutput.from(new NDList(objects, others)));
        assertRefused(
                "PerceptualGroupingOutput: objects are missing",
                () -> PerceptualGroupingOutput.from(new NDList(empty)));
    }
}
