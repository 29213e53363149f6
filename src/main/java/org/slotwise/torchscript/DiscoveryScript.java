package org.slotwise.torchscript;

import ai.djl.nn.Block;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
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
 * "feature_attributions". Noise (B, K, D) takes the place of what a conditioning draws; else there
 * are as many slots as are asked for, or as the conditioning was built with. Parameters are named
 * "encoder.", "conditioning.", "grouping." and "decoder.", then as in their blocks.
 *
 * <p>A conditioning and a decoder may take other inputs ({@link ScriptModule.Builder#optInputs}):
 * "images" as they came, "features", "positions", "noise", "slots"; a decoder "objects" and
 * "feature_attributions" too.
 *
 * <pre>{@code
 * TorchScript.of(DiscoveryScript.of(encoder, conditioning, grouping, decoder)).write(Path.of("model.pt"));
 * }</pre>
 */
public final class DiscoveryScript {

    private static final String WHO = "DiscoveryScript";

    private static final Map<String, String> KNOWN =
            Map.of(
                    "images", "images",
                    "features", "x",
                    "positions", "torch.__getitem__(f, \"positions\")",
                    "noise", "noise",
                    "slots", "slots",
                    "objects", "torch.__getitem__(g, \"objects\")",
                    "feature_attributions", "torch.__getitem__(g, \"feature_attributions\")");

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
        Check.option(Double.isFinite(mean), WHO + ": mean must be finite, got " + mean);
        Check.option(
                deviation > 0 && Double.isFinite(deviation),
                WHO + ": deviation must be above 0 and finite, got " + deviation);
        ScriptModule start = ScriptModule.of(WHO, conditioning);
        ScriptModule made = decoder == null ? null : ScriptModule.of(WHO, decoder);
        boolean scaled = mean != 0 || deviation != 1;
        StringBuilder code =
                new StringBuilder(
                        """
                        def forward(self, images: Tensor, noise: Optional[Tensor]=None, slots: Optional[int]=None) -> Dict[str, Tensor]:
                          f = self.encoder.forward(%s)
                          x = torch.__getitem__(f, "features")
                        %s
                          g = self.grouping.group(x, torch.__getitem__(f, "positions"), c)
                        """
                                .formatted(
                                        scaled
                                                ? "torch.div(torch.sub(images, %s), %s)"
                                                        .formatted(mean, deviation)
                                                : "images",
                                        begun(start.inputs()).stripTrailing()));
        if (decoder == null) {
            code.append("  out = annotate(Dict[str, Tensor], {})\n");
        } else {
            List<String> inputs = made == null ? null : made.inputs();
            code.append(
                    "  out = self.decoder.forward(%s)\n"
                            .formatted(given(inputs == null ? List.of("objects") : inputs)));
        }
        if (decoder != null && scaled) {
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
                  for name in ["objects", "feature_attributions"]:
                    torch._set_item(out, name, torch.__getitem__(g, name))
                  return out
                """);
        return ScriptModule.builder("ObjectDiscovery")
                .module("encoder", ScriptModule.of(WHO, encoder))
                .module("conditioning", start)
                .module("grouping", ScriptModule.of(WHO, grouping))
                .module("decoder", made)
                .setCode(code.toString())
                .build();
    }

    private static String begun(@Nullable List<String> inputs) {
        if (inputs != null) {
            return "  c = self.conditioning.forward(" + given(inputs) + ")";
        }
        return """
              if torch.__is__(slots, None):
                c = self.conditioning.forward(x, noise=noise)
              else:
                c = self.conditioning.forward(x, unchecked_cast(int, slots), noise)
            """;
    }

    /** The expressions of inputs that have names. */
    private static String given(List<String> inputs) {
        for (String input : inputs) {
            Check.option(
                    KNOWN.containsKey(input),
                    WHO
                            + ": a part's inputs must be of "
                            + new TreeSet<>(KNOWN.keySet())
                            + ", got "
                            + input);
        }
        return inputs.stream().map(KNOWN::get).collect(Collectors.joining(", "));
    }
}
