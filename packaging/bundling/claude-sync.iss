; Inno Setup's recipe of the installer for one user, without rights: run by make.py beside it, with
; /DVersion=… /DFolder=… (what PyInstaller made) /DOutput=…
[Setup]
AppId={{0E6F4E5B-7E7B-4B54-9E43-5B8C2C1E6F10}
AppName=claude-sync
AppVersion={#Version}
AppPublisher=claude-sync contributors
AppPublisherURL=https://github.com/claude-sync/claude-sync
DefaultDirName={localappdata}\Programs\claude-sync
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
OutputDir={#Output}
OutputBaseFilename=claude-sync-{#Version}-windows-setup
SetupIconFile={#Icon}
UninstallDisplayIcon={app}\claude-sync-tray.exe
Compression=lzma2
SolidCompression=yes
WizardStyle=modern
ChangesAssociations=yes
ChangesEnvironment=yes
; What runs is asked to end, and started again afterwards.
CloseApplications=yes
RestartApplications=yes

[Tasks]
Name: path; Description: "Add claude-sync to the PATH"
Name: autostart; Description: "Start the icon at login"; Flags: unchecked

[Files]
Source: "{#Folder}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs

[InstallDelete]
; Nothing of an older version is left among the newer one's files.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{userprograms}\claude-sync"; Filename: "{app}\claude-sync-tray.exe"

[Registry]
Root: HKCU; Subkey: "Software\Classes\.ccsync"; ValueType: string; ValueData: "claude-sync.session"; Flags: uninsdeletevalue
Root: HKCU; Subkey: "Software\Classes\claude-sync.session"; ValueType: string; ValueData: "Claude Code session"; Flags: uninsdeletekey
Root: HKCU; Subkey: "Software\Classes\claude-sync.session\DefaultIcon"; ValueType: string; ValueData: "{app}\claude-sync-tray.exe,0"
Root: HKCU; Subkey: "Software\Classes\claude-sync.session\shell\open\command"; ValueType: string; ValueData: """{app}\claude-sync-tray.exe"" ""%1"""
Root: HKCU; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; Tasks: path; Check: NeedsPath

[Run]
Filename: "{app}\claude-sync.exe"; Parameters: "autostart enable"; Tasks: autostart; Flags: runhidden
Filename: "{app}\claude-sync-tray.exe"; Description: "Show the icon"; Flags: nowait postinstall skipifsilent

[UninstallRun]
Filename: "{app}\claude-sync.exe"; Parameters: "autostart disable"; RunOnceId: "autostart"; Flags: runhidden
Filename: "{app}\claude-sync.exe"; Parameters: "plugin disable"; RunOnceId: "plugin"; Flags: runhidden

[Code]
function Entries(): string;
begin
  if not RegQueryStringValue(HKCU, 'Environment', 'Path', Result) then
    Result := '';
end;

function NeedsPath(): Boolean;
begin
  Result := Pos(';' + Uppercase(ExpandConstant('{app}')) + ';', ';' + Uppercase(Entries()) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Path, Own: string;
  At: Integer;
begin
  if Step <> usPostUninstall then
    exit;
  Path := ';' + Entries() + ';';
  Own := ';' + ExpandConstant('{app}') + ';';
  At := Pos(Uppercase(Own), Uppercase(Path));
  if At = 0 then
    exit;
  Delete(Path, At, Length(Own) - 1);
  RegWriteExpandStringValue(HKCU, 'Environment', 'Path', Copy(Path, 2, Length(Path) - 2));
end;
