package org.slotwise.torchscript;

/**
 * A layer or block whose equations can be written in TorchScript.
 *
 * <p>A block that is made of others takes their modules by {@link ScriptModule#of}, which refuses
 * what is none by its name. Blocks agree on what their modules' methods take, so that a whole model
 * can be put together ({@link DiscoveryScript}):
 *
 * <pre>{@code
 * a feature extractor   forward(images)                                    -> {"features", "positions"}
 * a conditioning        forward(like, slots, noise: Optional[Tensor])      -> Tensor
 * a grouping            forward(features, [positions,] conditioning, slot_mask: Optional[Tensor]=None)
 *                       group(features, positions, conditioning)           -> {"objects", "feature_attributions"}
 * a decoder             forward(slots)                                     -> {"reconstruction", "slot_images", "masks"}
 * }</pre>
 *
 * <p>A part that takes or gives something else says so: {@link ScriptModule.Builder#optInputs},
 * {@link ScriptModule.Builder#optOutputs}.
 */
@FunctionalInterface
public interface Scriptable {

    /**
     * The equations.
     *
     * @return a new module that refers to the parameters themselves
     * @throws IllegalArgumentException if a part has none; the message names it
     */
    ScriptModule script();
}
