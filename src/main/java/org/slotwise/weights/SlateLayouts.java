package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.slotwise.internal.Check;

/**
 * The names of implementations of SLATE, for {@link NameMap}; ours are those of the authors' code.
 *
 * <pre>{@code
 * try (StateDict file = StateDict.read(Path.of("best_model.pt"))) {
 *     SlateLayouts.original().apply(file).loadInto(slate);
 * }
 * SlateLayouts.withMasks(StateDict.of(slate), manager).write(Path.of("for_the_original.npz"));
 * }</pre>
 */
public final class SlateLayouts {

    private static final String WHO = "SlateLayouts";
    private static final String MASK = "tf_dec.blocks.*.self_attn_mask";
    private static final String POSITIONS = "positional_encoder.pe";
    private static final Pattern BLOCK = Pattern.compile("(tf_dec\\.blocks\\.\\d+)\\..*");

    private SlateLayouts() {}

    /**
     * The authors' code (singhgautam/slate), {@code best_model.pt}: the causal masks that it keeps
     * are dropped. {@link #withMasks} makes them again.
     *
     * @return the map
     */
    public static NameMap original() {
        return NameMap.builder().drop(MASK).rules(parts("", true)).build();
    }

    /**
     * The authors' code, {@code checkpoint.pt.tar}: the model is under "model.", the optimizer's
     * state and other numbers of the training are dropped.
     *
     * @return the map
     */
    public static NameMap checkpoint() {
        return NameMap.builder()
                .drop("model." + MASK)
                .rules(parts("model.", true))
                .drop("optimizer.*")
                .drop("best_val_loss")
                .build();
    }

    /**
     * HHousen's {@code object-discovery-pytorch}, Lightning checkpoints: the model is under
     * "model.", and slot attention's names are flat. Set implicit differentiation for the same
     * iterations.
     *
     * @return the map
     */
    public static NameMap objectDiscoveryPytorch() {
        return NameMap.builder()
                .drop("model." + MASK)
                .rule("model.slot_attn.slot_mu", "slot_attn.slot_mu")
                .rule("model.slot_attn.slot_log_sigma", "slot_attn.slot_log_sigma")
                .rule("model.slot_attn.input_layer_norm.*", "slot_attn.layer_norm.*")
                .rule("model.slot_attn.input_mlp.*", "slot_attn.mlp.*")
                .rule("model.slot_attn.*", "slot_attn.slot_attention.*")
                .rules(parts("model.", false))
                .build();
    }

    private static NameMap parts(String prefix, boolean slots) {
        NameMap.Builder map = NameMap.builder();
        if (slots) {
            map.rule(prefix + "slot_attn.*", "slot_attn.*");
        }
        for (String part :
                new String[] {
                    "dvae", "positional_encoder", "dictionary", "slot_proj", "tf_dec", "out"
                }) {
            map.rule(prefix + part + ".*", part + ".*");
        }
        return map.build();
    }

    /**
     * Adds the causal masks that the authors' code expects in a state dict: true where a place does
     * not see another.
     *
     * @param weights those of a {@code Slate}, by our names; by others, revert afterwards
     * @param manager the owner of the masks
     * @return the same arrays, not copies, and for each block {@code
     *     tf_dec.blocks.n.self_attn_mask} (L, L)
     * @throws IllegalArgumentException if there is no {@code positional_encoder.pe} (1, L + 1, D)
     */
    public static StateDict withMasks(StateDict weights, NDManager manager) {
        return withMasks(weights, manager, "");
    }

    /**
     * Adds the same masks under a prefix.
     *
     * @param weights those of a {@code Slate}, whose names begin with the prefix
     * @param manager the owner of the masks
     * @param prefix "model." for {@link #checkpoint} and {@link #objectDiscoveryPytorch}
     * @return the same arrays, and for each block its mask (L, L)
     * @throws IllegalArgumentException if there is no {@code positional_encoder.pe} (1, L + 1, D)
     */
    public static StateDict withMasks(StateDict weights, NDManager manager, String prefix) {
        NDArray positions = weights.get(prefix + POSITIONS);
        Check.shape(WHO, prefix + POSITIONS, positions, 1, "L + 1", "D");
        int places = Math.toIntExact(positions.getShape().get(1) - 1);
        Map<String, NDArray> all = new LinkedHashMap<>();
        weights.arrays()
                .forEach(
                        (name, array) -> {
                            if (name.startsWith(prefix)) {
                                var block = BLOCK.matcher(name.substring(prefix.length()));
                                if (block.matches()) {
                                    all.computeIfAbsent(
                                            prefix + block.group(1) + ".self_attn_mask",
                                            mask -> causal(manager, places));
                                }
                            }
                            all.put(name, array);
                        });
        return StateDict.of(all);
    }

    private static NDArray causal(NDManager manager, int places) {
        boolean[] later = new boolean[places * places];
        for (int i = 0; i < places; i++) {
            for (int j = i + 1; j < places; j++) {
                later[i * places + j] = true;
            }
        }
        return manager.create(later, new Shape(places, places));
    }
}
