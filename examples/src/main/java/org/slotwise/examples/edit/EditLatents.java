package org.slotwise.examples.edit;

import org.slotwise.examples.shared.HelpOfAllOption;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Describes the objects of pictures by codes, and changes one code of one object. */
@Command(
        name = "EditLatents",
        header = {
            "Describes the objects of pictures by a few codes each, and changes one code of one object.",
            ""
        },
        description = {"Trains a small model, evaluates it and shows what codes mean.", ""},
        subcommands = {TrainLatents.class, EvaluateLatents.class, ShowEdits.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All went well.",
            "1:Something failed: a file, or a training that ran away.",
            "2:An option is wrong."
        })
public final class EditLatents implements Runnable {

    @Mixin private HelpOfAllOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args a command and its options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new EditLatents(), args);
    }

    @Override
    public void run() {
        throw Program.commandMissing(spec);
    }
}
