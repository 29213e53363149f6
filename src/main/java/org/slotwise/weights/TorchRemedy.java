package org.slotwise.weights;

/** The lines of Python that make of a file one that is read here. */
final class TorchRemedy {

    private static final String LOAD = "torch.load(path, map_location=\"cpu\", weights_only=";

    private TorchRemedy() {}

    /** For an expression that gives a dict of tensors. */
    static String save(String weights) {
        return "torch.save(" + weights + ", new_path)";
    }

    /** The whole content, for those who trust the file: it may hold objects. */
    static String trusted() {
        return LOAD + "False)";
    }

    static String singleTensor() {
        return save("{\"weight\": " + LOAD + "True)}");
    }

    /** A file of PyTorch before 1.6, whose content is not known. */
    static String legacy() {
        return "w = "
                + trusted()
                + "; "
                + save("w.state_dict() if hasattr(w, \"state_dict\") else w");
    }

    static String torchScript() {
        return save("torch.jit.load(path, map_location=\"cpu\").state_dict()");
    }

    /**
     * For a tensor that is to become another.
     *
     * @param path where it is
     * @param change what makes another of it, %s being its name; empty if nothing does
     */
    static String ofTensor(PythonPath path, String change) {
        String optOnly = "; pass it over by ReadOptions.optOnly";
        String tensor = path.of("w");
        if (change.isEmpty() || tensor == null) {
            return optOnly;
        }
        boolean trust = change.contains("subclass");
        return optOnly
                + ", or"
                + (trust ? ", if you trust the file," : "")
                + " write it anew in Python: w = "
                + (trust ? trusted() : LOAD + "True)")
                + "; "
                + tensor
                + " = "
                + change.replace("%s", tensor + ".detach()")
                + "; "
                + save("w");
    }
}
