package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Pictures that a program reads, among which it must not write: what it makes would take the place
 * of one, or be read as one the next time.
 *
 * @param path a picture, a folder of pictures, or one of "images" and "masks"
 */
public record PicturesRead(Path path) {

    /**
     * Refuses a file or folder that is, or would be, among the pictures or their masks, whatever
     * links lead there.
     *
     * @param spec the command
     * @param option what names it: "--out"
     * @param written what is to be written
     * @throws IOException if a link leads nowhere
     */
    public void refuse(CommandSpec spec, String option, Path written) throws IOException {
        Program.require(
                spec,
                !Files.exists(path) || !hold(real(written)),
                option + " must not lie among the pictures that are read, in " + path,
                written);
    }

    private boolean hold(Path written) throws IOException {
        Path source = path.toRealPath();
        if (!Files.isDirectory(source.resolve("images"))) {
            return written.startsWith(source);
        }
        for (String inside : new String[] {"images", "masks"}) {
            Path folder = source.resolve(inside);
            if (Files.exists(folder) && written.startsWith(folder.toRealPath())) {
                return true;
            }
        }
        return written.equals(source);
    }

    /** Without links, also where nothing is yet. */
    private static Path real(Path written) throws IOException {
        Path whole = WholeFile.target(written);
        Path known = whole;
        while (!Files.exists(known) && known.getParent() != null) {
            known = known.getParent();
        }
        return known.toRealPath().resolve(known.relativize(whole)).normalize();
    }
}
