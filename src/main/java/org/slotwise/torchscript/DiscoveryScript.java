package org.slotwise.torchscript;

import ai.djl.nn.Block;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * A whole model of object discovery in TorchScript, put together of its parts: images to features,
 * slots' initial values, slots, and images again.
 *
 * <pre>{@code
 * forward(images, noise: Optional[Tensor]=None, slots: Optional[int]=None) -> Dict[str, Tensor]
 * }</pre>
 *
 * <p>gives "reconstruction", "slot_images" and "masks" (where there is a decoder), "objects" and
 * "feature_attributions", and where slots have them "slot_positions" and "is_empty". Noise (B, K,
 * D) takes the place of what a conditioning draws; else there are as many slots as are asked for,
 * or as the conditioning was built with. Parameters are named "encoder.", "conditioning.",
 * "grouping." and "decoder.", then as in their blocks.
 *
 * <p>Parts may take other inputs than usual ({@link ScriptModule.Builder#optInputs}): "images" as
 * they came, "features", "positions", "noise", "slots"; a decoder also what slots are, by the names
 * above, and a grouping "conditioning", "slot_positions", "guess" and "is_empty", of which those
 * are None that the conditioning does not give ({@link ScriptModule.Builder#optOutputs}).
 *
 * <pre>{@code
 * TorchScript.of(DiscoveryScript.of(encoder, conditioning, grouping, decoder)).write(Path.of("model.pt"));
 * }</pre>
 */
public final class DiscoveryScript {

    private static final String WHO = "DiscoveryScript";

    private static final List<String> USUAL = List.of("features", "positions", "conditioning");

    /** What there is before slots are found. */
    private static final Map<String, String> FIRST =
            Map.of(
                    "images", "images",
                    "features", "x",
                    "positions", "torch.__getitem__(f, \"positions\")",
                    "noise", "noise",
                    "slots", "slots");

    /** What a conditioning may give. */
    private static final Set<String> BEGINNING =
            Set.of("conditioning", "slot_positions", "guess", "is_empty");

    /** What slots are, besides. */
    private static final Map<String, String> FOUND =
            Map.of(
                    "objects", "torch.__getitem__(g, \"objects\")",
                    "feature_attributions", "torch.__getitem__(g, \"feature_attributions\")",
                    "slot_positions", "torch.__getitem__(g, \"slot_positions\")",
                    "is_empty", "torch.get(g, \"is_empty\")");

    private DiscoveryScript() {}

    /**
     * Puts a model together.
     *
     * @param encoder from images to features and positions
     * @param conditioning gives the slots' initial values
     * @param grouping from features to slots
     * @param decoder from slots to images; null for none
     * @return the whole
     * @throws IllegalArgumentException if a part cannot be written; the message names it
     */
    public static ScriptModule of(
            Block encoder, Block conditioning, Block grouping, @Nullable Block decoder) {
        return of(encoder, conditioning, grouping, decoder, 0, 1);
    }

    /**
     * Puts a model together whose parts see other colours than come: (images - mean) / deviation.
     * What is reconstructed is in the images' range again.
     *
     * @param encoder from images to features and positions
     * @param conditioning gives the slots' initial values
     * @param grouping from features to slots
     * @param decoder from slots to images; null for none
     * @param mean what is taken from colours, finite
     * @param deviation what they are then divided by, above 0
     * @return the whole
     * @throws IllegalArgumentException if a part cannot be written, or a number is out of range
     */
    public static ScriptModule of(
            Block encoder,
            Block conditioning,
            Block grouping,
            @Nullable Block decoder,
            double mean,
            double deviation) {
        ScriptModule start = ScriptModule.of(WHO, conditioning);
        return of(encoder, start, grouping, decoder, mean, deviation);
    }

    /**
     * Puts a model together that is given what slots start from: {@code forward(images, values)}
     * with values (B, K, D).
     *
     * @param encoder from images to features
     * @param grouping from features to slots
     * @param decoder from slots to images
     * @param mean what is taken from colours, finite
     * @param deviation what they are then divided by, above 0
     * @return the whole
     * @throws IllegalArgumentException if a part cannot be written, or a number is out of range
     */
    public static ScriptModule ofGivenSlots(
            Block encoder, Block grouping, Block decoder, double mean, double deviation) {
        ScriptModule given =
                ScriptModule.builder("Given")
                        .optInputs("noise")
                        .setCode(
                                """
                                def forward(self, noise: Optional[Tensor]) -> Tensor:
                                  return unchecked_cast(Tensor, noise)
                                """)
                        .build();
        return of(encoder, given, grouping, decoder, mean, deviation);
    }

    private static ScriptModule of(
            Block encoder,
            ScriptModule start,
            Block grouping,
            @Nullable Block decoder,
            double mean,
            double deviation) {
        Check.option(Double.isFinite(mean), WHO + ": mean must be finite, got " + mean);
        Check.option(
                deviation > 0 && Double.isFinite(deviation),
                WHO + ": deviation must be above 0 and finite, got " + deviation);
        ScriptModule grouped = ScriptModule.of(WHO, grouping);
        ScriptModule made = decoder == null ? null : ScriptModule.of(WHO, decoder);
        boolean scaled = mean != 0 || deviation != 1;
        StringBuilder code =
                new StringBuilder(
                        """
                        def forward(self, images: Tensor, noise: Optional[Tensor]=None, slots: Optional[int]=None) -> Dict[str, Tensor]:
                          f = self.encoder.forward(%s)
                          x = torch.__getitem__(f, "features")
                        %s
                          g = self.grouping.group(%s)
                        """
                                .formatted(
                                        scaled
                                                ? "torch.div(torch.sub(images, %s), %s)"
                                                        .formatted(mean, deviation)
                                                : "images",
                                        begun(start).stripTrailing(),
                                        given(grouped.inputs(), USUAL, beginning(start))));
        if (made == null) {
            code.append("  out = annotate(Dict[str, Tensor], {})\n");
        } else {
            code.append(
                    "  out = self.decoder.forward(%s)\n"
                            .formatted(given(made.inputs(), List.of("objects"), with(FOUND))));
        }
        if (made != null && scaled) {
            code.append(
                    """
                      for seen in ["reconstruction", "slot_images"]:
                        y = torch.mul(torch.__getitem__(out, seen), %s)
                        torch._set_item(out, seen, torch.add(y, %s))
                    """
                            .formatted(deviation, mean));
        }
        code.append(
                """
                  for name in ["objects", "feature_attributions", "is_empty", "slot_positions"]:
                    if torch.__contains__(g, name):
                      torch._set_item(out, name, torch.__getitem__(g, name))
                  return out
                """);
        return ScriptModule.builder("ObjectDiscovery")
                .module("encoder", ScriptModule.of(WHO, encoder))
                .module("conditioning", start)
                .module("grouping", grouped)
                .module("decoder", made)
                .setCode(code.toString())
                .build();
    }

    /** The beginning: slots' values c, or a dict b of what else they begin with. */
    private static String begun(ScriptModule start) {
        if (start.inputs() != null) {
            return "  %s = self.conditioning.forward(%s)"
                    .formatted(
                            start.outputs() == null ? "c" : "b",
                            given(start.inputs(), List.of(), FIRST));
        }
        Check.option(
                start.outputs() == null,
                WHO + ": a conditioning that gives several things must say what it takes");
        return """
              if torch.__is__(slots, None):
                c = self.conditioning.forward(x, noise=noise)
              else:
                c = self.conditioning.forward(x, unchecked_cast(int, slots), noise)
            """;
    }

    /** What a grouping may be given; None is what the conditioning does not give. */
    private static Map<String, String> beginning(ScriptModule start) {
        List<String> outputs = start.outputs();
        Map<String, String> known = new HashMap<>(FIRST);
        BEGINNING.forEach(name -> known.put(name, "None"));
        if (outputs == null) {
            known.put("conditioning", "c");
            return known;
        }
        for (String output : outputs) {
            Check.option(
                    BEGINNING.contains(output),
                    WHO
                            + ": a conditioning's outputs must be of "
                            + new TreeSet<>(BEGINNING)
                            + ", got "
                            + output);
            known.put(output, "torch.__getitem__(b, \"" + output + "\")");
        }
        return known;
    }

    private static Map<String, String> with(Map<String, String> more) {
        Map<String, String> known = new HashMap<>(FIRST);
        known.putAll(more);
        return known;
    }

    /** The expressions of inputs that have names. */
    private static String given(
            @Nullable List<String> inputs, List<String> usual, Map<String, String> known) {
        List<String> expressions = new ArrayList<>();
        for (String input : inputs == null ? usual : inputs) {
            Check.option(
                    known.containsKey(input),
                    WHO
                            + ": a part's inputs must be of "
                            + new TreeSet<>(known.keySet())
                            + ", got "
                            + input);
            expressions.add(known.get(input));
        }
        return String.join(", ", expressions);
    }
}
