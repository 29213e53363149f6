package org.slotwise.torchscript;

/**
 * A module whose convolutions are activated in their own place, and whose broadcast slots take the
 * places' part so: for {@link LoadedScript} alone, which runs operations one by one as they are
 * written. The engine's optimiser, which runs files, makes single arrays of what gradients go
 * through, and then refuses to change views of them.
 */
final class InPlaceScript {

    private InPlaceScript() {}

    /** The same equations; what is changed in its place nothing else has seen. */
    static ScriptModule of(ScriptModule module) {
        return module.rewritten(InPlaceScript::code, ScriptModule::inference);
    }

    private static String code(ScriptModule module) {
        String code = module.code();
        return switch (module.type()) {
            // Maps have no such method: what the engine gives for a linear map may be a view.
            case "Sequential" -> code.contains("def hidden") ? activated(code) : code;
            case "SpatialBroadcastDecoder" ->
                    code.replace("torch.add(torch.permute(r,", "torch.add_(torch.permute(r,");
            default -> code;
        };
    }

    private static String activated(String code) {
        return code.replace("torch.relu(x)", "torch.relu_(x)")
                .replace("torch.leaky_relu(x,", "torch.leaky_relu_(x,");
    }
}
