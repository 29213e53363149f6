package org.slotwise.examples.shared;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.slate.SlotChoice;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.TypeConversionException;

/**
 * Slots of several pictures that are put together.
 *
 * @param slots at least one
 */
public record Prompt(List<SlotChoice> slots) {

    /**
     * The chosen ones of slots.
     *
     * @param all (B, K, D), those of all pictures
     * @return (1, number of them, D)
     */
    public NDArray of(NDArray all) {
        NDList rows = new NDList();
        slots.forEach(one -> rows.add(all.get("{}, {}", one.picture(), one.slot())));
        return NDArrays.stack(rows).expandDims(0);
    }

    /**
     * Refuses slots that are not there.
     *
     * @param spec the command
     * @param pictures how many pictures there are
     * @param each how many slots each has
     */
    public void check(CommandSpec spec, long pictures, long each) {
        for (SlotChoice one : slots) {
            Program.require(
                    spec,
                    one.picture() < pictures && one.slot() < each,
                    "--prompt must name pictures "
                            + (pictures == 1 ? "0" : "0 to " + (pictures - 1))
                            + " and their slots "
                            + (each == 1 ? "0" : "0 to " + (each - 1)),
                    one.picture() + ":" + one.slot());
        }
    }

    /** Reads "0:1,3:2". */
    public static final class Parser implements ITypeConverter<Prompt> {

        /** Used by picocli. */
        public Parser() {}

        /** {@inheritDoc} */
        @Override
        public Prompt convert(String text) {
            List<SlotChoice> slots = new ArrayList<>();
            for (String one : text.split(",", -1)) {
                if (!one.matches("\\d{1,6}:\\d{1,6}")) {
                    throw new TypeConversionException(
                            "expected numbers as in 0:1,0:2,3:0, got " + text);
                }
                String[] numbers = one.split(":", -1);
                slots.add(
                        new SlotChoice(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1])));
            }
            return new Prompt(slots);
        }
    }
}
